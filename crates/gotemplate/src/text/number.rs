//! Go's number literals.

/// Why a number could not be read: the last words of Go's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// It is no number.
    Syntax,
    /// It is beyond what the type can hold.
    Range,
}

/// `strconv.ParseUint(text, 0, 64)`: the prefix decides about the base, and underscores may
/// separate digits.
pub(crate) fn parse_uint(text: &[u8]) -> Result<u64, NumberError> {
    let (base, digits) = match text {
        [] => return Err(NumberError::Syntax),
        [b'0', letter, _, ..] => match letter.to_ascii_lowercase() {
            b'b' => (2, &text[2..]),
            b'o' => (8, &text[2..]),
            b'x' => (16, &text[2..]),
            _ => (8, &text[1..]),
        },
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    let mut number: u64 = 0;
    let mut underscores = false;
    for digit in digits {
        if *digit == b'_' {
            underscores = true;
            continue;
        }
        let digit = char::from(*digit)
            .to_digit(base)
            .ok_or(NumberError::Syntax)?;
        number = number
            .checked_mul(u64::from(base))
            .and_then(|number| number.checked_add(u64::from(digit)))
            .ok_or(NumberError::Range)?;
    }
    if underscores && !underscores_are_good(text) {
        return Err(NumberError::Syntax);
    }
    Ok(number)
}

/// `strconv.ParseInt(text, 0, 64)`
pub(crate) fn parse_int(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'+', rest @ ..] => (false, rest),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = parse_uint(digits)?;
    let number = if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    number.ok_or(NumberError::Range)
}

/// Whether underscores stand only between digits, or between the prefix and a digit.
fn underscores_are_good(text: &[u8]) -> bool {
    let mut rest = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    let mut hex = false;
    // What came before: '^' the beginning, '0' a digit or the prefix, '_' an underscore, '!' else.
    let mut before = b'^';
    if let [b'0', letter, after @ ..] = rest
        && matches!(letter.to_ascii_lowercase(), b'b' | b'o' | b'x')
    {
        before = b'0';
        hex = letter.eq_ignore_ascii_case(&b'x');
        rest = after;
    }
    for byte in rest {
        if byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit() {
            before = b'0';
        } else if *byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// `strconv.ParseFloat(text, 64)`: decimal and hexadecimal, infinities and NaN, and underscores
/// between digits.
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    let (negative, rest) = match text {
        [b'+', rest @ ..] => (false, rest),
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
        f64::INFINITY
    } else if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    } else {
        if rest.contains(&b'_') && !underscores_are_good(text) {
            return Err(NumberError::Syntax);
        }
        let digits: Vec<u8> = rest.iter().copied().filter(|byte| *byte != b'_').collect();
        let number = match digits.as_slice() {
            [b'0', b'x' | b'X', hex @ ..] => parse_hex(hex)?,
            _ => parse_decimal(&digits)?,
        };
        if number.is_infinite() {
            return Err(NumberError::Range);
        }
        number
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// Rust reads the same decimal numbers with the same rounding, and a few words besides.
fn parse_decimal(digits: &[u8]) -> Result<f64, NumberError> {
    if !digits
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return Err(NumberError::Syntax);
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(NumberError::Syntax)
}

/// The digits of a hexadecimal float after `0x`: the exponent of two must be there.
fn parse_hex(text: &[u8]) -> Result<f64, NumberError> {
    let split = text
        .iter()
        .position(|byte| byte.eq_ignore_ascii_case(&b'p'))
        .ok_or(NumberError::Syntax)?;
    let (digits, exponent) = (&text[..split], &text[split + 1..]);
    let (sign, exponent) = match exponent {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, exponent),
    };
    if exponent.is_empty() || !exponent.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Syntax);
    }
    let power = exponent.iter().fold(0_i64, |power, digit| {
        (power * 10 + i64::from(digit - b'0')).min(1_000_000)
    });
    let mut power = sign * power;
    // 64 bits of the mantissa, and whether any bit that does not fit was set.
    let mut mantissa: u64 = 0;
    let mut lost = false;
    let mut seen = false;
    let mut after_point = false;
    for byte in digits {
        if *byte == b'.' && !after_point {
            after_point = true;
            continue;
        }
        let digit = char::from(*byte).to_digit(16).ok_or(NumberError::Syntax)?;
        seen = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            if after_point {
                power -= 4;
            }
        } else {
            lost |= digit != 0;
            if !after_point {
                power += 4;
            }
        }
    }
    if !seen {
        return Err(NumberError::Syntax);
    }
    Ok(scale(mantissa, lost, power))
}

/// `mantissa` times two to the power, rounded to even; `lost` says that the true mantissa is a
/// little larger.
fn scale(mantissa: u64, lost: bool, power: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    // The leading bit at position 63 stands for two to the `exponent`.
    let shift = mantissa.leading_zeros();
    let mantissa = mantissa << shift;
    let exponent = power - i64::from(shift) + 63;
    if exponent > 1023 {
        return f64::INFINITY;
    }
    // Of a subnormal number fewer than 53 bits remain.
    let kept = if exponent < -1022 {
        53 - (-1022 - exponent)
    } else {
        53
    };
    if kept < 0 {
        return 0.0;
    }
    let dropped = 64 - kept;
    let (bits, rest, half) = if dropped == 64 {
        (0, mantissa, 1_u64 << 63)
    } else {
        (
            mantissa >> dropped,
            mantissa & ((1 << dropped) - 1),
            1_u64 << (dropped - 1),
        )
    };
    let up = rest > half || rest == half && (lost || bits & 1 == 1);
    let bits = bits + u64::from(up);
    // Adding the mantissa, which may have grown by one bit, carries into the exponent as it should.
    let biased = if exponent < -1022 {
        0
    } else {
        u64::try_from(exponent + 1022).unwrap_or(0) << 52
    };
    f64::from_bits(biased + bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_floats() {
        let cases: [(&str, f64); 10] = [
            ("0x1p0", 1.0),
            ("0x1.8p1", 3.0),
            ("-0X.8P-1", -0.25),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.fffffffffffff7p0", 1.999_999_999_999_999_8),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x123456789abcdef01p4", 335_812_727_670_730_300_000.0),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_float(text.as_bytes()), Ok(expected), "{text}");
        }
        assert_eq!(parse_float(b"0x1p1024"), Err(NumberError::Range));
        assert_eq!(parse_float(b"0x1"), Err(NumberError::Syntax));
    }

    #[test]
    fn integers() {
        let cases: [(&str, Result<i64, NumberError>); 12] = [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("+7", Ok(7)),
            ("0x1F", Ok(31)),
            ("0b101", Ok(5)),
            ("0o17", Ok(15)),
            ("017", Ok(15)),
            ("1_000", Ok(1000)),
            ("0x_1", Ok(1)),
            ("1__0", Err(NumberError::Syntax)),
            ("089", Err(NumberError::Syntax)),
            ("9223372036854775808", Err(NumberError::Range)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_int(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(parse_int(b"-9223372036854775808"), Ok(i64::MIN));
    }
}
