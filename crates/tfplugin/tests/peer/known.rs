//! The differences that remain, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::Difference;

/// A difference, or several of one kind.
struct Known {
    /// What differs, for the table in docs/design/framework-peer.md.
    what: &'static str,
    /// Why it is as it is.
    why: &'static str,
    applies: fn(&Difference) -> bool,
}

const KNOWN: &[Known] = &[
    Known {
        what: "An update or delete that failed without a new state answers null, \
               HashiCorp's the state before",
        why: "Core keeps the state, private data and identity of before in both cases. Null says \
              that the handler knew no better.",
        applies: |found| {
            found.call == "ApplyResourceChange"
                && matches!(found.case.as_str(), "update fails" | "delete fails")
                && matches!(found.part.as_str(), "value " | "identity")
                && found.own == "Null"
        },
    },
    Known {
        what: "A read that found nothing answers without an identity, HashiCorp's with the one \
               of before",
        why: "What is gone has none; Core drops it.",
        applies: |found| {
            found.call == "ReadResource"
                && found.case == "read finds nothing"
                && found.part == "identity"
                && found.own == "Null"
        },
    },
    Known {
        what: "A data source or an ephemeral resource that failed answers null, HashiCorp's its \
               configuration",
        why: "Core does not look at the value beside an error.",
        applies: |found| {
            matches!(
                (found.call, found.case.as_str()),
                ("ReadDataSource", "none") | ("OpenEphemeralResource", "fails")
            ) && found.part == "value "
                && found.own == "Null"
        },
    },
    Known {
        what: "An import stores private data of the provider alone, HashiCorp's adds a mark of \
               its own",
        why: "The mark tells the read after the import from others, so that HashiCorp's can \
              check it. The state that an import gives is checked at once here.",
        applies: |found| {
            found.call == "ImportResourceState"
                && found.part == "private"
                && (found.hashicorp.as_str(), found.own.as_str()) == ("true", "false")
        },
    },
    Known {
        what: "The identity of a moved object has what comes from the provider's configuration, \
               HashiCorp's lacks it",
        why: "HashiCorp's does not give the provider's data to a move. Here the identity follows \
              from state and configuration, the same way after each call.",
        applies: |found| {
            (found.call, found.part.as_str()) == ("MoveResourceState", "identity")
                && found.own.contains("here")
        },
    },
    Known {
        what: "A replacement that the resource's own plan asks for is left out of the plan of a \
               create, HashiCorp's sends it",
        why: "Core ignores it there: nothing exists that could be replaced.",
        applies: |found| {
            let others: Vec<&str> = found
                .hashicorp
                .split(", ")
                .filter(|path| *path != "label")
                .collect();
            (found.call, found.part.as_str()) == ("PlanResourceChange", "requires_replace")
                && others.join(", ") == found.own
        },
    },
    Known {
        what: "`use_state_for_unknown` leaves a value of a nested object that is new in an update \
               unknown, HashiCorp's `UseStateForUnknown` plans null",
        why: "Null fails in the apply, where the provider finds a value: \"inconsistent result\". \
              HashiCorp's has `UseNonNullStateForUnknown` for this, which the other nested \
              objects of the comparison use.",
        applies: |found| {
            (found.call, found.part.as_str()) == ("PlanResourceChange", "value settings.arn")
                && (found.hashicorp.as_str(), found.own.as_str()) == ("Null", "Unknown")
        },
    },
    Known {
        what: "A new element of a set has unknown computed values, HashiCorp's takes those of the \
               element with the same position in the state",
        why: "A set has no positions: the values are another object's. Here an element gets the \
              computed values of the element that it equals otherwise.",
        applies: |found| {
            let open = |text: &str| {
                let text = text.replace("String(\"found\")", "Unknown");
                let elements = text
                    .split("Object(")
                    .map(|part| part.trim_end_matches([' ', ',']));
                let elements = elements.map(|part| part.trim_end_matches("])").to_owned());
                elements.collect::<BTreeSet<_>>()
            };
            (found.call, found.part.as_str()) == ("PlanResourceChange", "value rules")
                && open(&found.hashicorp) == open(&found.own)
        },
    },
    Known {
        what: "An identity of the present version is read, HashiCorp's refuses to upgrade it",
        why: "It is as good as any. Core does not ask.",
        applies: |found| {
            (found.call, found.case.as_str()) == ("UpgradeResourceIdentity", "same version")
                && (found.part == "identity" || found.own.is_empty())
        },
    },
    Known {
        what: "A stored state that does not fit its schema is an error with the attribute's path, \
               HashiCorp's names none",
        why: "The path says what to repair.",
        applies: |found| {
            (found.call, found.part.as_str()) == ("UpgradeResourceState", "diagnostics")
                && (found.hashicorp.as_str(), found.own.as_str()) == ("Error at ", "Error at size")
        },
    },
    Known {
        what: "Attributes that conflict are reported at the second of them that is set, \
               HashiCorp's at the first that the validator names",
        why: "Either is wrong as much as the other; the text names all.",
        applies: |found| in_words(found) && found.hashicorp.contains("document"),
    },
];

/// Whether two answers to a validation say the same but for the paths that the list explains.
fn in_words(found: &Difference) -> bool {
    let common = |text: &str| -> BTreeSet<String> {
        text.split(", ")
            .map(|text| text.replace("document", "anything"))
            .collect()
    };
    (found.call, found.part.as_str()) == ("ValidateResourceConfig", "diagnostics")
        && common(&found.hashicorp) == common(&found.own)
}

/// What is wrong with the list: differences that are not on it, and entries without a difference.
pub fn explain(differences: &[Difference]) -> String {
    let mut unexplained: BTreeMap<(&str, String), Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        if !KNOWN.iter().any(|known| (known.applies)(difference)) {
            let kind = (difference.call, without_indices(&difference.part));
            unexplained.entry(kind).or_default().push(difference);
        }
    }
    let mut problems: Vec<String> = unexplained
        .into_iter()
        .map(|((call, part), of_kind)| {
            let first = of_kind[0];
            format!(
                "not listed in tests/peer/known.rs: {call}, {part}, {} times, first in {:?}\n  \
                 HashiCorp's: {}\n  this:        {}",
                of_kind.len(),
                first.case,
                first.hashicorp,
                first.own
            )
        })
        .collect();
    for known in KNOWN {
        if !differences.iter().any(known.applies) {
            problems.push(format!(
                "listed, but no longer a difference: {}",
                known.what
            ));
        }
    }
    problems.join("\n")
}

/// The kind of a part: "value steps[].handle" for each step.
fn without_indices(part: &str) -> String {
    let mut kind = String::new();
    let mut depth = 0;
    for next in part.chars() {
        if next == ']' {
            depth -= 1;
        }
        if depth == 0 {
            kind.push(next);
        }
        if next == '[' {
            depth += 1;
        }
    }
    kind
}

/// The list in Markdown.
pub fn table() -> String {
    let mut table = "| difference | reason |\n|---|---|\n".to_owned();
    for known in KNOWN {
        table.push_str(&format!("| {} | {} |\n", known.what, known.why));
    }
    table
}
