//! Exact decimal numbers as github.com/shopspring/decimal computes with them.

use num_bigint::{BigInt, Sign};

use crate::error::Error;

/// The digits after the point that a quotient keeps.
const DIVISION_PRECISION: i64 = 16;

/// `digits` times ten to the power `exponent`.
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal number that this float is.
    ///
    /// # Errors
    ///
    /// It is NaN or infinite.
    pub(super) fn from_float(number: f64) -> Result<Self, Error> {
        if !number.is_finite() {
            let name = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(Error::new(format!("Cannot create a Decimal from {name}")));
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = mantissa.split_once('.').map_or(0, |(_, after)| after.len());
        let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
        Ok(Self {
            digits: digits.parse().unwrap_or_default(),
            exponent: exponent.parse::<i64>().unwrap_or(0)
                - i64::try_from(fraction).unwrap_or(i64::MAX),
        })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }

    /// The number of bits of the digits, which tells what computing with them costs.
    pub(super) fn bits(&self) -> u64 {
        self.digits.bits()
    }

    fn scaled(&self, exponent: i64) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.scaled(exponent) + other.scaled(exponent),
            exponent,
        }
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.scaled(exponent) - other.scaled(exponent),
            exponent,
        }
    }

    /// # Errors
    ///
    /// The exponent is beyond 32 bits.
    pub(super) fn multiply(&self, other: &Self) -> Result<Self, Error> {
        let exponent = self.exponent + other.exponent;
        if i32::try_from(exponent).is_err() {
            return Err(Error::new(format!(
                "exponent {exponent} overflows an int32!"
            )));
        }
        Ok(Self {
            digits: &self.digits * &other.digits,
            exponent,
        })
    }

    /// The quotient with 16 digits after the point, half away from zero.
    ///
    /// # Errors
    ///
    /// The divisor is zero.
    pub(super) fn divide(&self, other: &Self) -> Result<Self, Error> {
        if other.digits.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let (dividend, divisor) = if shift < 0 {
            (self.digits.clone(), &other.digits * power_of_ten(-shift))
        } else {
            (&self.digits * power_of_ten(shift), other.digits.clone())
        };
        let mut quotient = &dividend / &divisor;
        let rest = &dividend % &divisor;
        if (rest.magnitude() << 1_u8) >= *divisor.magnitude() {
            if dividend.sign() == divisor.sign() || dividend.sign() == Sign::NoSign {
                quotient += 1;
            } else {
                quotient -= 1;
            }
        }
        Ok(Self {
            digits: quotient,
            exponent: -DIVISION_PRECISION,
        })
    }
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent.max(0)).unwrap_or(u32::MAX))
}
