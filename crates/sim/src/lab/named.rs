//! Policies as people name them: those of a scenario, and what to do where a name is none.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_jobfile::suggest;
use bary_policy::preset::{self, PRESETS, Policy, PolicyError};

/// The policies that are compared where none are named.
pub const POLICIES: [&str; 5] =
    ["gravity", "work-stealing", "least-loaded", "round-robin", "random"];

/// The policies of a scenario.
///
/// # Errors
/// Where a text names none.
pub(crate) fn policies(
    document: &Document<'_>,
    top: &Section<'_>,
) -> Result<Vec<Policy>, Box<Fault>> {
    let named = top.texts("policies");
    if named.is_empty() {
        let usual = POLICIES.iter().filter_map(|name| preset::parse(name).ok());
        return Ok(usual.collect());
    }
    let parsed = named.into_iter().map(|(text, span)| {
        let wrong = |error: PolicyError| document.fault(span, &error.to_string(), &hint(&error));
        preset::parse(text).map_err(wrong)
    });
    parsed.collect()
}

/// What to do about a text that names no policy: the preset that is meant perhaps, and where all
/// are listed.
#[must_use]
pub fn hint(error: &PolicyError) -> String {
    let near = match error {
        PolicyError::Preset { given, .. } => {
            suggest::nearest(given, PRESETS.iter().map(|(name, _)| *name))
        }
        _ => None,
    };
    let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
    format!("{near}bary policy ls lists them")
}

#[cfg(test)]
mod tests {
    use bary_policy::preset;

    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_told_what_it_may_mean() {
        let told = |text: &str| hint(&preset::parse(text).expect_err("it names none"));
        assert!(told("graviti").starts_with("did you mean `gravity`?"));
        assert_eq!(told("xxxxxxxxxxxx"), "bary policy ls lists them");
    }
}
