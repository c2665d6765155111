//! Integer and decimal arithmetic.

use super::cast::{self, float, to_float64, to_int64};
use super::decimal::Decimal;
use super::{go, print};
use crate::error::Error;
use crate::function::{Call, Functions};
use crate::types::Type;
use crate::value::{List, Value};

pub(super) fn register(functions: &mut Functions) {
    let any = || [Type::Any];
    let any_and_rest = || [Type::Any, Type::Any];
    functions.add("atoi", [Type::String], Type::INT, |_, args| {
        let number = match cast::parse_int(args.string(0)?, 10) {
            Ok(number) | Err((_, number)) => number,
        };
        Ok(Value::int(number))
    });
    functions.add("int64", any(), Type::INT64, |_, args| {
        Ok(Value::int64(to_int64(args.get(0))))
    });
    functions.add("int", any(), Type::INT, |_, args| {
        Ok(Value::int(to_int64(args.get(0))))
    });
    functions.add("float64", any(), Type::FLOAT64, |_, args| {
        Ok(float(to_float64(args.get(0))))
    });
    functions.add("toDecimal", any(), Type::INT64, |call, args| {
        let text = print::value(call, args.get(0))?;
        Ok(Value::int64(cast::parse_int(&text, 8).unwrap_or(0)))
    });

    functions.add("add1", any(), Type::INT64, |_, args| {
        Ok(Value::int64(to_int64(args.get(0)).wrapping_add(1)))
    });
    functions.add_variadic("add", any(), Type::INT64, |_, args| {
        let sum = args
            .values()
            .iter()
            .map(to_int64)
            .fold(0, i64::wrapping_add);
        Ok(Value::int64(sum))
    });
    functions.add("sub", any_and_rest(), Type::INT64, |_, args| {
        let (a, b) = (to_int64(args.get(0)), to_int64(args.get(1)));
        Ok(Value::int64(a.wrapping_sub(b)))
    });
    functions.add("div", any_and_rest(), Type::INT64, |_, args| {
        let (a, b) = (to_int64(args.get(0)), divisor(args.get(1))?);
        Ok(Value::int64(a.wrapping_div(b)))
    });
    functions.add("mod", any_and_rest(), Type::INT64, |_, args| {
        let (a, b) = (to_int64(args.get(0)), divisor(args.get(1))?);
        Ok(Value::int64(a.wrapping_rem(b)))
    });
    functions.add_variadic("mul", any_and_rest(), Type::INT64, |_, args| {
        let product = args
            .values()
            .iter()
            .map(to_int64)
            .fold(1, i64::wrapping_mul);
        Ok(Value::int64(product))
    });
    for name in ["max", "biggest"] {
        functions.add_variadic(name, any_and_rest(), Type::INT64, |_, args| {
            Ok(Value::int64(
                args.values().iter().map(to_int64).max().unwrap_or(0),
            ))
        });
    }
    functions.add_variadic("min", any_and_rest(), Type::INT64, |_, args| {
        Ok(Value::int64(
            args.values().iter().map(to_int64).min().unwrap_or(0),
        ))
    });
    functions.add_variadic("maxf", any_and_rest(), Type::FLOAT64, |_, args| {
        Ok(float(extreme(args.values(), greater)))
    });
    functions.add_variadic("minf", any_and_rest(), Type::FLOAT64, |_, args| {
        Ok(float(extreme(args.values(), |a, b| -greater(-a, -b))))
    });

    functions.add("add1f", any(), Type::FLOAT64, |call, args| {
        decimals(call, args.get(0), &[Value::int(1)], Operation::Add)
    });
    functions.add_variadic("addf", any(), Type::FLOAT64, |call, args| {
        decimals(call, &float(0.0), args.values(), Operation::Add)
    });
    for (name, operation) in [
        ("subf", Operation::Subtract),
        ("divf", Operation::Divide),
        ("mulf", Operation::Multiply),
    ] {
        functions.add_variadic(name, any_and_rest(), Type::FLOAT64, move |call, args| {
            decimals(call, args.get(0), args.rest(1), operation)
        });
    }

    functions.add("floor", any(), Type::FLOAT64, |_, args| {
        Ok(float(to_float64(args.get(0)).floor()))
    });
    functions.add("ceil", any(), Type::FLOAT64, |_, args| {
        Ok(float(to_float64(args.get(0)).ceil()))
    });
    functions.add_variadic(
        "round",
        [Type::Any, Type::INT, Type::FLOAT64],
        Type::FLOAT64,
        |_, args| {
            let round_on = if args.len() > 2 { args.float(2)? } else { 0.5 };
            Ok(float(round(
                to_float64(args.get(0)),
                args.int(1)?,
                round_on,
            )))
        },
    );

    functions.add("until", [Type::INT], Type::list(Type::INT), |call, args| {
        let count = args.int(0)?;
        until_step(call, 0, count, if count < 0 { -1 } else { 1 }).map(int_list)
    });
    functions.add(
        "untilStep",
        [Type::INT, Type::INT, Type::INT],
        Type::list(Type::INT),
        |call, args| until_step(call, args.int(0)?, args.int(1)?, args.int(2)?).map(int_list),
    );
    functions.add_variadic("seq", [Type::INT], Type::String, |call, args| {
        let numbers = match args.len() {
            1 => {
                let end = args.int(0)?;
                let step = if end < 1 { -1 } else { 1 };
                until_step(call, 1, end.wrapping_add(step), step)?
            }
            2 => {
                let (start, end) = (args.int(0)?, args.int(1)?);
                let step = if end < start { -1 } else { 1 };
                until_step(call, start, end.wrapping_add(step), step)?
            }
            3 => {
                let (start, step, end) = (args.int(0)?, args.int(1)?, args.int(2)?);
                if end < start && step > 0 {
                    Vec::new()
                } else {
                    let beyond = if end < start { -1 } else { 1 };
                    until_step(call, start, end.wrapping_add(beyond), step)?
                }
            }
            _ => Vec::new(),
        };
        call.charge_bytes(numbers.len() * 8)?;
        let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
        Ok(Value::from(texts.join(" ")))
    });
}

fn divisor(value: &Value) -> Result<i64, Error> {
    match to_int64(value) {
        0 => Err(go::runtime("integer divide by zero")),
        number => Ok(number),
    }
}

fn extreme(values: &[Value], of_two: impl Fn(f64, f64) -> f64) -> f64 {
    values
        .iter()
        .map(to_float64)
        .reduce(of_two)
        .unwrap_or_default()
}

/// `math.Max`: infinity wins over NaN, NaN over the rest, and 0 over -0.
fn greater(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

#[derive(Clone, Copy)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

fn decimals(
    call: &mut Call<'_>,
    first: &Value,
    rest: &[Value],
    operation: Operation,
) -> Result<Value, Error> {
    let mut result = Decimal::from_float(to_float64(first))?;
    for value in rest {
        let number = Decimal::from_float(to_float64(value))?;
        call.charge_steps(1 + result.bits() / 64)?;
        result = match operation {
            Operation::Add => result.add(&number),
            Operation::Subtract => result.subtract(&number),
            Operation::Multiply => result.multiply(&number)?,
            Operation::Divide => result.divide(&number)?,
        };
    }
    Ok(float(result.to_float()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Go converts the places to a float as well"
)]
fn round(number: f64, places: i64, round_on: f64) -> f64 {
    let power = power_of_ten(places as f64);
    let digit = power * number;
    // The fractional part of an infinity is NaN in Go, and in Rust.
    let fraction = if digit.is_infinite() {
        f64::NAN
    } else {
        digit.fract()
    };
    let rounded = if fraction >= round_on {
        digit.ceil()
    } else {
        digit.floor()
    };
    rounded / power
}

/// `math.Pow(10, exponent)` of a whole exponent, by squaring as Go does, for the same last bit.
fn power_of_ten(exponent: f64) -> f64 {
    if exponent == 0.0 {
        return 1.0;
    }
    if exponent == 1.0 {
        return 10.0;
    }
    let magnitude = exponent.abs();
    if magnitude >= 9_223_372_036_854_775_808.0 {
        return if exponent > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let mut mantissa = 1.0_f64;
    let mut binary = 0_i64;
    // Ten is 0.625 times two to the fourth.
    let (mut factor, mut factor_binary) = (0.625_f64, 4_i64);
    let mut remaining = cast::truncate(magnitude);
    while remaining != 0 {
        if !(-4096..=4096).contains(&factor_binary) {
            binary += factor_binary;
            break;
        }
        if remaining & 1 == 1 {
            mantissa *= factor;
            binary += factor_binary;
        }
        factor *= factor;
        factor_binary <<= 1;
        if factor < 0.5 {
            factor += factor;
            factor_binary -= 1;
        }
        remaining >>= 1;
    }
    if exponent < 0.0 {
        mantissa = 1.0 / mantissa;
        binary = -binary;
    }
    times_power_of_two(mantissa, binary)
}

/// `math.Ldexp`, rounded once.
fn times_power_of_two(number: f64, exponent: i64) -> f64 {
    let power = |exponent: i64| -> f64 {
        f64::from_bits(u64::try_from(exponent + 1023).unwrap_or(0) << 52)
    };
    if exponent > 1100 {
        number * f64::INFINITY
    } else if exponent > 1023 {
        number * power(1023) * power(exponent - 1023)
    } else if exponent >= -1022 {
        number * power(exponent)
    } else if exponent > -1200 {
        // Up to here the number is scaled without loss, so that one rounding remains.
        number * power(-960) * power((exponent + 960).max(-1022))
    } else {
        0.0
    }
}

fn until_step(call: &mut Call<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Error> {
    if (stop < start && step >= 0) || (stop >= start && step <= 0) {
        return Ok(Vec::new());
    }
    let distance = i128::from(stop) - i128::from(start);
    let step_wide = i128::from(step);
    let count = (distance + step_wide - step_wide.signum()) / step_wide;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    call.charge_bytes(count.saturating_mul(16))?;
    call.charge_steps(u64::try_from(count / 8).unwrap_or(u64::MAX))?;
    let mut number = start;
    Ok((0..count)
        .map(|_| {
            let current = number;
            number = number.wrapping_add(step);
            current
        })
        .collect())
}

fn int_list(numbers: Vec<i64>) -> Value {
    List::new(Type::INT, numbers.into_iter().map(Value::int).collect()).into()
}
