//! The types that a file defines.
//!
//! Apart because associated types and type parameters look the same and have to be told from them.

use crate::tokens::is_word;

/// The names of the structs, enums, unions, traits and type aliases, associated types left out.
pub(crate) fn types(tokens: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    // For each open brace, whether it is that of a trait or of an implementation.
    let mut braces = Vec::new();
    let mut of_a_trait = false;
    for two in tokens.windows(2) {
        let (token, next) = (two[0].as_str(), two[1].as_str());
        match token {
            "{" => braces.push(std::mem::take(&mut of_a_trait)),
            "}" => drop(braces.pop()),
            ";" => of_a_trait = false,
            "impl" => of_a_trait = true,
            "struct" | "enum" | "union" | "trait" if is_word(next) => {
                of_a_trait = token == "trait";
                found.push(next);
            }
            "type" if is_word(next) && braces.last() != Some(&true) => found.push(next),
            _ => {}
        }
    }
    found
}
