//! Exact decimal numbers with the equality of cty.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The largest count of decimal digits before, and after, the decimal point.
///
/// Numbers are written without an exponent, so a short text such as `1e999999999` would otherwise become a document of
/// a gigabyte. Every `f64` fits.
const MAX_DIGITS: i64 = 4096;

/// A number of cty: a decimal of any precision, or an infinity.
///
/// Two numbers are equal when their shortest decimal text is equal, which is the rule of cty's `rawNumberEqual`: the
/// `f64` `0.1` equals the text `0.1`. `-0` is `0`. There is no NaN.
///
/// `Display` writes the shortest plain decimal, never with an exponent, as cty does in JSON; infinities are written
/// `inf` and `-inf`, which cty's text parser reads back but JSON cannot hold.
///
/// ```
/// # use tfplugin_cty::Number;
/// let tenth: Number = "1e-1".parse()?;
/// assert_eq!(tenth, Number::try_from(0.1_f64)?);
/// assert_eq!(tenth.to_string(), "0.1");
/// # Ok::<(), tfplugin_cty::ParseNumberError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

/// Canonical, so that the derived equality and hash are those of the number.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// Every integer in the range of `i64`.
    Integer(i64),
    /// Everything else that is finite.
    Decimal(Box<Decimal>),
    NegativeInfinity,
    PositiveInfinity,
}

/// `0.DIGITS × 10^point`, negated when `negative`. `digits` has neither leading nor trailing zeros and is not empty.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Decimal {
    negative: bool,
    digits: Box<str>,
    point: i32,
}

/// Why a text or a float is not a [`Number`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseNumberError {
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Syntax,
    /// The plain decimal form has more than 4096 digits on one side of the decimal point.
    #[error("more than 4096 digits before or after the decimal point")]
    TooLong,
    /// The float is NaN, which cty cannot hold and which crashes Terraform Core.
    #[error("NaN is not a number")]
    NotANumber,
}

impl Number {
    /// Positive infinity.
    pub const INFINITY: Self = Self(Repr::PositiveInfinity);
    /// Negative infinity.
    pub const NEGATIVE_INFINITY: Self = Self(Repr::NegativeInfinity);
    /// Zero.
    pub const ZERO: Self = Self(Repr::Integer(0));

    /// Whether the number is an integer; infinities are not.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Integer(_) => true,
            Repr::Decimal(decimal) => decimal.is_integer(),
            Repr::NegativeInfinity | Repr::PositiveInfinity => false,
        }
    }

    /// Whether the number is positive or negative infinity.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::NegativeInfinity | Repr::PositiveInfinity)
    }

    /// The value when it is an integer in the range of `i64`.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    /// The value when it is an integer in the range of `u64`.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Repr::Integer(integer) => u64::try_from(*integer).ok(),
            Repr::Decimal(decimal) if decimal.is_integer() => decimal.to_string().parse().ok(),
            _ => None,
        }
    }

    /// The nearest `f64`, ties to even; a number beyond its range becomes an infinity.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            // The conversion rounds to nearest, ties to even.
            Repr::Integer(integer) => *integer as f64,
            // The standard library's parser rounds correctly and the text is always a valid float.
            Repr::Decimal(decimal) => decimal.to_string().parse().unwrap_or(f64::INFINITY),
            Repr::NegativeInfinity => f64::NEG_INFINITY,
            Repr::PositiveInfinity => f64::INFINITY,
        }
    }

    /// The value as `f64` when no precision is lost, so that a fraction such as 0.5 qualifies and 0.1 does not.
    pub fn as_exact_f64(&self) -> Option<f64> {
        match &self.0 {
            Repr::Integer(integer) => {
                let float = *integer as f64;
                // 2^63 itself saturates on the way back, hence the upper bound.
                (float < 9_223_372_036_854_775_808.0 && float as i64 == *integer).then_some(float)
            }
            Repr::Decimal(decimal) => {
                let float = self.as_f64();
                if !float.is_finite() {
                    return None;
                }
                let mut exact = String::new();
                // 1074 fraction digits write every f64 exactly.
                let _ = fmt::Write::write_fmt(&mut exact, format_args!("{float:.1074}"));
                let trimmed = exact.trim_end_matches('0').trim_end_matches('.');
                (trimmed == decimal.to_string()).then_some(float)
            }
            Repr::NegativeInfinity => Some(f64::NEG_INFINITY),
            Repr::PositiveInfinity => Some(f64::INFINITY),
        }
    }

    /// Builds a number from decimal parts; `point` is where the decimal point is in `digits`, counted from its start.
    fn from_parts(negative: bool, digits: &str, point: i64) -> Result<Self, ParseNumberError> {
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let significant = significant.trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let length = i64::try_from(significant.len()).map_err(|_| ParseNumberError::TooLong)?;
        let leading = i64::try_from(leading).map_err(|_| ParseNumberError::TooLong)?;
        let point = point.saturating_sub(leading);
        if point > MAX_DIGITS || length.saturating_sub(point) > MAX_DIGITS {
            return Err(ParseNumberError::TooLong);
        }
        let point = i32::try_from(point).map_err(|_| ParseNumberError::TooLong)?;
        let decimal = Decimal {
            negative,
            digits: significant.into(),
            point,
        };
        if decimal.is_integer()
            && decimal.point <= 19
            && let Ok(integer) = decimal.to_string().parse::<i64>()
        {
            return Ok(Self(Repr::Integer(integer)));
        }
        Ok(Self(Repr::Decimal(Box::new(decimal))))
    }

    /// The text of Go's `big.Float.Text('g', 10)`, which cty uses to order compound set elements.
    pub(crate) fn to_ten_digits(&self) -> String {
        let decimal = match &self.0 {
            Repr::Integer(0) => return "0".to_owned(),
            Repr::Integer(integer) => Decimal::from_integer_text(&integer.to_string()),
            Repr::Decimal(decimal) => decimal.as_ref().clone(),
            Repr::NegativeInfinity => return "-Inf".to_owned(),
            Repr::PositiveInfinity => return "+Inf".to_owned(),
        };
        decimal.to_ten_digits()
    }
}

impl Decimal {
    /// `text` is a non-zero integer without a leading zero.
    fn from_integer_text(text: &str) -> Self {
        let magnitude = text.trim_start_matches('-');
        Self {
            negative: magnitude.len() < text.len(),
            digits: magnitude.trim_end_matches('0').into(),
            point: i32::try_from(magnitude.len()).unwrap_or(i32::MAX),
        }
    }

    fn length(&self) -> i32 {
        // Bounded by MAX_DIGITS on each side of the point.
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    fn is_integer(&self) -> bool {
        self.point >= self.length()
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        // Without leading zeros the larger point wins, and without trailing zeros a proper prefix is smaller.
        self.point
            .cmp(&other.point)
            .then_with(|| self.digits.cmp(&other.digits))
    }

    fn to_ten_digits(&self) -> String {
        const DIGITS: usize = 10;
        let (digits, point) = self.round_half_even(DIGITS);
        let exponent = point - 1;
        let sign = if self.negative { "-" } else { "" };
        if !(-4..10).contains(&exponent) {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let exponent_sign = if exponent < 0 { '-' } else { '+' };
            return format!(
                "{sign}{first}{dot}{rest}e{exponent_sign}{:02}",
                exponent.abs()
            );
        }
        Self {
            negative: self.negative,
            digits: digits.into(),
            point,
        }
        .to_string()
    }

    fn round_half_even(&self, count: usize) -> (String, i32) {
        if self.digits.len() <= count {
            return (self.digits.to_string(), self.point);
        }
        let (kept, dropped) = self.digits.split_at(count);
        let last_is_odd = kept.as_bytes().last().is_some_and(|digit| digit % 2 == 1);
        let up = match dropped.as_bytes().first() {
            Some(b'5') if dropped.len() == 1 => last_is_odd,
            Some(digit) => *digit >= b'5',
            None => false,
        };
        if !up {
            return (kept.trim_end_matches('0').to_owned(), self.point);
        }
        let nines = kept.len() - kept.trim_end_matches('9').len();
        let head = &kept[..kept.len() - nines];
        let mut rounded = head.as_bytes().to_vec();
        match rounded.last_mut() {
            Some(digit) => *digit += 1,
            None => return ("1".to_owned(), self.point + 1),
        }
        (rounded.into_iter().map(char::from).collect(), self.point)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            formatter.write_str("-")?;
        }
        let zeros = |formatter: &mut fmt::Formatter<'_>, count: i32| {
            (0..count).try_for_each(|_| formatter.write_str("0"))
        };
        if self.point <= 0 {
            formatter.write_str("0.")?;
            zeros(formatter, -self.point)?;
            formatter.write_str(&self.digits)
        } else if self.is_integer() {
            formatter.write_str(&self.digits)?;
            zeros(formatter, self.point - self.length())
        } else {
            let (whole, fraction) = self
                .digits
                .split_at(usize::try_from(self.point).unwrap_or(0));
            write!(formatter, "{whole}.{fraction}")
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(integer) => write!(formatter, "{integer}"),
            Repr::Decimal(decimal) => write!(formatter, "{decimal}"),
            Repr::NegativeInfinity => formatter.write_str("-inf"),
            Repr::PositiveInfinity => formatter.write_str("inf"),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Number({self})")
    }
}

/// By value.
impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        fn rank(number: &Number) -> i8 {
            match &number.0 {
                Repr::NegativeInfinity => -2,
                Repr::Integer(integer) => integer.signum() as i8,
                Repr::Decimal(decimal) if decimal.negative => -1,
                Repr::Decimal(_) => 1,
                Repr::PositiveInfinity => 2,
            }
        }
        if let (Repr::Integer(left), Repr::Integer(right)) = (&self.0, &other.0) {
            return left.cmp(right);
        }
        let by_rank = rank(self).cmp(&rank(other));
        if by_rank.is_ne() {
            return by_rank;
        }
        let decimal = |number: &Self| match &number.0 {
            Repr::Integer(0) | Repr::NegativeInfinity | Repr::PositiveInfinity => None,
            Repr::Integer(integer) => Some(Decimal::from_integer_text(&integer.to_string())),
            Repr::Decimal(decimal) => Some(decimal.as_ref().clone()),
        };
        match (decimal(self), decimal(other)) {
            (Some(left), Some(right)) if left.negative => right.compare_magnitude(&left),
            (Some(left), Some(right)) => left.compare_magnitude(&right),
            _ => Ordering::Equal,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(Repr::Integer(integer))
    }
}

impl From<i32> for Number {
    fn from(integer: i32) -> Self {
        Self(Repr::Integer(i64::from(integer)))
    }
}

impl From<u32> for Number {
    fn from(integer: u32) -> Self {
        Self(Repr::Integer(i64::from(integer)))
    }
}

impl From<u64> for Number {
    fn from(integer: u64) -> Self {
        match i64::try_from(integer) {
            Ok(integer) => Self(Repr::Integer(integer)),
            Err(_) => Self(Repr::Decimal(Box::new(Decimal::from_integer_text(
                &integer.to_string(),
            )))),
        }
    }
}

/// An integral float becomes that exact integer, another one its shortest decimal text that reads back as the same
/// `f64`: the two rules by which cty compares floats. Floats below 2^-1022, which have fewer than 53 bits, get a shorter
/// text than in cty.
///
/// # Errors
/// [`ParseNumberError::NotANumber`] for NaN.
impl TryFrom<f64> for Number {
    type Error = ParseNumberError;

    fn try_from(float: f64) -> Result<Self, ParseNumberError> {
        if float.is_nan() {
            return Err(ParseNumberError::NotANumber);
        }
        if float.is_infinite() {
            return Ok(if float > 0.0 {
                Self::INFINITY
            } else {
                Self::NEGATIVE_INFINITY
            });
        }
        if float.fract() == 0.0 {
            // Display pads the shortest digits with zeros; a precision writes the integer exactly.
            return format!("{float:.0}").parse();
        }
        let shortest = format!("{float:e}");
        // Of two equally short texts Go takes the one nearest to the float, and of two as near the even one.
        let digits = shortest
            .bytes()
            .take_while(|byte| *byte != b'e')
            .filter(u8::is_ascii_digit)
            .count();
        let nearest = format!("{float:.*e}", digits.saturating_sub(1));
        if nearest.parse() == Ok(float) {
            nearest.parse()
        } else {
            shortest.parse()
        }
    }
}

/// Reads what cty's `ParseNumberVal` reads: an optional sign, digits with an optional point, an optional decimal
/// exponent; or `inf` or `Inf` with an optional sign.
///
/// Go's binary exponents (`1p4`) are not read, and digits are never rounded to 512 bits.
impl FromStr for Number {
    type Err = ParseNumberError;

    fn from_str(text: &str) -> Result<Self, ParseNumberError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned == "inf" || unsigned == "Inf" {
            return Ok(if negative {
                Self::NEGATIVE_INFINITY
            } else {
                Self::INFINITY
            });
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return Err(ParseNumberError::Syntax);
        }
        let point = i64::try_from(whole.len())
            .map_err(|_| ParseNumberError::TooLong)?
            .saturating_add(exponent);
        if fraction.is_empty() {
            Self::from_parts(negative, whole, point)
        } else {
            Self::from_parts(negative, &[whole, fraction].concat(), point)
        }
    }
}

fn parse_exponent(text: &str) -> Result<i64, ParseNumberError> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseNumberError::Syntax);
    }
    // Only the order of magnitude matters beyond the bound, and zero with any exponent is zero.
    let magnitude = digits
        .parse::<i64>()
        .unwrap_or(i64::from(i32::MAX))
        .min(i64::from(i32::MAX));
    Ok(if negative { -magnitude } else { magnitude })
}
