//! Numbers: text, floats, integers, order.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use tfplugin_cty::{Number, ParseNumberError};

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

#[test]
fn texts_become_their_shortest_plain_decimal() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("0.000e999999999999", "0"),
        ("+7", "7"),
        ("007.5000", "7.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("-1.25E+1", "-12.5"),
        ("1e-3", "0.001"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        (
            "123456789012345678901234567890.0987654321",
            "123456789012345678901234567890.0987654321",
        ),
        ("inf", "inf"),
        ("-Inf", "-inf"),
    ];
    for (text, expected) in cases {
        assert_eq!(number(text).to_string(), expected, "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    let cases = [
        ("", ParseNumberError::Syntax),
        ("-", ParseNumberError::Syntax),
        (".", ParseNumberError::Syntax),
        ("1e", ParseNumberError::Syntax),
        ("1e+", ParseNumberError::Syntax),
        ("--1", ParseNumberError::Syntax),
        (" 1", ParseNumberError::Syntax),
        ("0x10", ParseNumberError::Syntax),
        ("1_000", ParseNumberError::Syntax),
        ("1.2.3", ParseNumberError::Syntax),
        ("NaN", ParseNumberError::Syntax),
        ("infinity", ParseNumberError::Syntax),
        ("\u{661}", ParseNumberError::Syntax),
        ("1e999999999999999999999", ParseNumberError::TooLong),
        ("1e-4097", ParseNumberError::TooLong),
        ("1e4096", ParseNumberError::TooLong),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<Number>(), Err(error), "{text}");
    }
    assert_eq!(number("1e4095").to_string().len(), 4096);
    assert_eq!(
        Number::try_from(f64::NAN),
        Err(ParseNumberError::NotANumber)
    );
}

#[test]
fn floats_become_the_text_that_go_writes() {
    let cases = [
        (0.1, "0.1"),
        (-0.0, "0"),
        (1.0 / 3.0, "0.3333333333333333"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e22, "10000000000000000000000"),
        // An integer is exact, as cty compares integers.
        (1e23, "99999999999999991611392"),
        // Two texts of 16 digits are equally near: the even one.
        (998_353_542_219_036.2, "998353542219036.2"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (float, expected) in cases {
        assert_eq!(Number::try_from(float).unwrap().to_string(), expected);
    }
}

#[test]
fn conversions_say_when_they_do_not_fit() {
    let cases = [
        ("5", Some(5), Some(5), Some(5.0)),
        ("-5", Some(-5), None, Some(-5.0)),
        ("0.5", None, None, Some(0.5)),
        ("0.1", None, None, None),
        (
            "9007199254740993",
            Some(9_007_199_254_740_993),
            Some(9_007_199_254_740_993),
            None,
        ),
        (
            "9223372036854775807",
            Some(i64::MAX),
            Some(9_223_372_036_854_775_807),
            None,
        ),
        (
            "9223372036854775808",
            None,
            Some(9_223_372_036_854_775_808),
            Some(9_223_372_036_854_775_808.0),
        ),
        (
            "-9223372036854775808",
            Some(i64::MIN),
            None,
            Some(-9_223_372_036_854_775_808.0),
        ),
        ("18446744073709551615", None, Some(u64::MAX), None),
        (
            "18446744073709551616",
            None,
            None,
            Some(18_446_744_073_709_551_616.0),
        ),
        ("1e400", None, None, None),
        ("inf", None, None, Some(f64::INFINITY)),
    ];
    for (text, signed, unsigned, float) in cases {
        let number = number(text);
        assert_eq!(
            (number.as_i64(), number.as_u64(), number.as_exact_f64()),
            (signed, unsigned, float),
            "{text}"
        );
    }
    assert_eq!(number("1e400").as_f64(), f64::INFINITY);
    assert_eq!(number("0.1").as_f64(), 0.1);
}

#[test]
fn order_is_by_value() {
    let ascending = [
        "-inf",
        "-1e30",
        "-9223372036854775809",
        "-9223372036854775808",
        "-10",
        "-9.5",
        "-0.25",
        "-0.001",
        "0",
        "0.001",
        "0.0011",
        "0.25",
        "9.5",
        "10",
        "10.5",
        "9223372036854775807",
        "9223372036854775808",
        "1e30",
        "inf",
    ];
    for (left, left_text) in ascending.iter().enumerate() {
        for (right, right_text) in ascending.iter().enumerate() {
            assert_eq!(
                number(left_text).cmp(&number(right_text)),
                left.cmp(&right),
                "{left_text} {right_text}"
            );
        }
    }
}
