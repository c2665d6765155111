//! Floating-point numbers as `strconv.AppendFloat` prints them.

use crate::types::FloatKind;

/// Digits beyond this are zeros in every float64.
const DIGITS: usize = 1100;

/// The decimal digits of a number: 0.d1d2d3... times ten to the `point`.
struct Digits {
    /// ASCII digits without trailing zeros; none for zero.
    digits: Vec<u8>,
    point: i32,
}

/// Appends a number in one of the formats `b`, `e`, `E`, `f`, `g`, `G`, `x`, `X`. Without a
/// precision it has the fewest digits that tell it apart from its neighbours of that kind.
pub(crate) fn append_float(
    buffer: &mut Vec<u8>,
    number: f64,
    format: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    if number.is_nan() {
        buffer.extend_from_slice(b"NaN");
        return;
    }
    if number.is_infinite() {
        buffer.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    if number.is_sign_negative() {
        buffer.push(b'-');
    }
    let number = number.abs();
    match format {
        b'b' => append_binary(buffer, number, kind),
        b'x' | b'X' => append_hex(buffer, number, format, precision, kind),
        b'e' | b'E' => {
            let digits = match precision {
                None => shortest(number, kind),
                Some(precision) => rounded(number, precision + 1),
            };
            let precision = precision.unwrap_or(digits.digits.len().saturating_sub(1));
            append_exponent(buffer, &digits, precision, format);
        }
        b'f' => {
            let digits = match precision {
                None => shortest(number, kind),
                Some(precision) => rounded_fraction(number, precision),
            };
            let fraction = i32::try_from(digits.digits.len()).unwrap_or(i32::MAX) - digits.point;
            let precision = precision.unwrap_or(usize::try_from(fraction).unwrap_or(0));
            append_fraction(buffer, &digits, precision);
        }
        _ => append_general(buffer, number, format, precision, kind),
    }
}

/// The fewest digits that are read back as the same number.
fn shortest(number: f64, kind: FloatKind) -> Digits {
    if number == 0.0 {
        return Digits::ZERO;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is one that float32 has"
    )]
    let text = match kind {
        FloatKind::Float32 => format!("{:e}", number as f32),
        FloatKind::Float64 => format!("{number:e}"),
    };
    Digits::from_exponent_form(&text)
}

/// So many significant digits, correctly rounded.
fn rounded(number: f64, count: usize) -> Digits {
    if number == 0.0 || count == 0 {
        return Digits::ZERO;
    }
    Digits::from_exponent_form(&format!("{number:.*e}", (count - 1).min(DIGITS)))
}

/// So many digits after the decimal point, correctly rounded.
fn rounded_fraction(number: f64, count: usize) -> Digits {
    let text = format!("{number:.*}", count.min(DIGITS));
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    Digits::new(
        digits[leading..].to_vec(),
        i32::try_from(whole.len()).unwrap_or(0) - i32::try_from(leading).unwrap_or(0),
    )
}

impl Digits {
    const ZERO: Self = Self {
        digits: Vec::new(),
        point: 0,
    };

    fn new(mut digits: Vec<u8>, point: i32) -> Self {
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Self::ZERO;
        }
        Self { digits, point }
    }

    /// From `d.ddde-dd`, as Rust prints it.
    fn from_exponent_form(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits = mantissa.bytes().filter(|byte| *byte != b'.').collect();
        Self::new(digits, exponent.parse().unwrap_or(0) + 1)
    }

    fn digit(&self, index: i64) -> u8 {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.digits.get(index))
            .copied()
            .unwrap_or(b'0')
    }
}

/// `g`: as `e` for small and large exponents, as `f` otherwise, without trailing zeros.
fn append_general(
    buffer: &mut Vec<u8>,
    number: f64,
    format: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    let (digits, precision, limit) = match precision {
        None => {
            let digits = shortest(number, kind);
            let precision = digits.digits.len();
            // The exponent from which `e` is used is that of six digits.
            (digits, precision, 6)
        }
        Some(precision) => {
            let precision = precision.max(1);
            let digits = rounded(number, precision);
            let count = digits.digits.len();
            let whole = i64::try_from(count).unwrap_or(i64::MAX) >= i64::from(digits.point);
            let limit = if precision > count && whole {
                count
            } else {
                precision
            };
            (digits, precision, limit)
        }
    };
    let exponent = i64::from(digits.point) - 1;
    if exponent < -4 || exponent >= i64::try_from(limit).unwrap_or(i64::MAX) {
        let precision = precision.min(digits.digits.len()).saturating_sub(1);
        // The letter of the exponent has the case of the format.
        append_exponent(buffer, &digits, precision, format + b'e' - b'g');
        return;
    }
    let point = i64::from(digits.point);
    let precision = if i64::try_from(precision).unwrap_or(i64::MAX) > point {
        digits.digits.len()
    } else {
        precision
    };
    let fraction = i64::try_from(precision).unwrap_or(i64::MAX) - point;
    append_fraction(buffer, &digits, usize::try_from(fraction).unwrap_or(0));
}

/// `d.ddde+dd` with so many digits after the point.
fn append_exponent(buffer: &mut Vec<u8>, digits: &Digits, precision: usize, letter: u8) {
    buffer.push(digits.digit(0));
    if precision > 0 {
        buffer.push(b'.');
        let known = digits.digits.get(1..).unwrap_or_default();
        let known = &known[..known.len().min(precision)];
        buffer.extend_from_slice(known);
        buffer.resize(buffer.len() + precision - known.len(), b'0');
    }
    let exponent = if digits.digits.is_empty() {
        0
    } else {
        digits.point - 1
    };
    buffer.extend_from_slice(&[letter, if exponent < 0 { b'-' } else { b'+' }]);
    append_decimal(buffer, exponent.unsigned_abs(), 2);
}

fn append_decimal(buffer: &mut Vec<u8>, number: u32, width: usize) {
    buffer.extend_from_slice(format!("{number:0width$}").as_bytes());
}

/// `ddd.ddd` with so many digits after the point.
fn append_fraction(buffer: &mut Vec<u8>, digits: &Digits, precision: usize) {
    let point = i64::from(digits.point);
    if point > 0 {
        buffer.extend((0..point).map(|index| digits.digit(index)));
    } else {
        buffer.push(b'0');
    }
    if precision > 0 {
        buffer.push(b'.');
        let count = i64::try_from(precision).unwrap_or(i64::MAX);
        buffer.extend((0..count).map(|index| digits.digit(point.saturating_add(index))));
    }
}

/// The integer mantissa, the power of two that it is multiplied with, and the bits of the mantissa
/// after its leading one.
fn parts(number: f64, kind: FloatKind) -> (u64, i32, u32) {
    let (bits, mantissa_bits, bias) = match kind {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the number is one that float32 has"
        )]
        FloatKind::Float32 => (u64::from((number as f32).to_bits()), 23, 127),
        FloatKind::Float64 => (number.to_bits(), 52, 1023),
    };
    let mantissa = bits & ((1 << mantissa_bits) - 1);
    let exponent = i32::try_from(bits >> mantissa_bits).unwrap_or(0);
    if exponent == 0 {
        (mantissa, 1 - bias, mantissa_bits)
    } else {
        (
            mantissa | 1 << mantissa_bits,
            exponent - bias,
            mantissa_bits,
        )
    }
}

/// `ddddp-ddd`
fn append_binary(buffer: &mut Vec<u8>, number: f64, kind: FloatKind) {
    let (mantissa, exponent, bits) = parts(number, kind);
    let exponent = exponent - i32::try_from(bits).unwrap_or(0);
    buffer.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

/// `0x1.hhhp+dd`
fn append_hex(
    buffer: &mut Vec<u8>,
    number: f64,
    format: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    let (mantissa, mut exponent, bits) = parts(number, kind);
    if mantissa == 0 {
        exponent = 0;
    }
    // The leading one, if any, goes to bit 60.
    let mut mantissa = mantissa << (60 - bits);
    while mantissa != 0 && mantissa >> 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision @ 0..15) = precision {
        let shift = u32::try_from(precision * 4).unwrap_or(0);
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits: &[u8; 16] = if format == b'X' {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    buffer.extend_from_slice(&[b'0', format, digits[(mantissa >> 60 & 1) as usize]]);
    mantissa <<= 4;
    let mut next = || {
        let digit = digits[(mantissa >> 60 & 15) as usize];
        mantissa <<= 4;
        (digit, mantissa == 0)
    };
    match precision {
        None => {
            let (mut digit, mut last) = next();
            if digit != b'0' || !last {
                buffer.push(b'.');
                loop {
                    buffer.push(digit);
                    if last {
                        break;
                    }
                    (digit, last) = next();
                }
            }
        }
        Some(0) => {}
        Some(precision) => {
            buffer.push(b'.');
            buffer.extend((0..precision).map(|_| next().0));
        }
    }
    let letter = if format == b'X' { b'P' } else { b'p' };
    buffer.extend_from_slice(&[letter, if exponent < 0 { b'-' } else { b'+' }]);
    append_decimal(buffer, exponent.unsigned_abs(), 2);
}
