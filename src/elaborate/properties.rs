//! Properties by name, what follows from them, and which cannot hold together.

use super::{Properties, Property};

/// The properties as `assume` spells them.
pub(super) const NAMES: &[(&str, Property)] = &[
    ("symmetric", Property::Symmetric),
    ("skew", Property::Skew),
    ("diagonal", Property::Diagonal),
    ("orthogonal", Property::Orthogonal),
    ("invertible", Property::Invertible),
    ("posdef", Property::PositiveDefinite),
    ("positive", Property::Positive),
    ("nonnegative", Property::Nonnegative),
    ("onehot", Property::OneHot),
    ("rowstochastic", Property::RowStochastic),
    ("constant", Property::Constant),
];

/// What each property brings with it.
const CONSEQUENCES: &[(Property, &[Property])] = &[
    (Property::PositiveDefinite, &[Property::Symmetric, Property::Invertible]),
    (Property::Diagonal, &[Property::Symmetric]),
    (Property::Orthogonal, &[Property::Invertible]),
    (Property::OneHot, &[Property::RowStochastic, Property::Nonnegative]),
    (Property::RowStochastic, &[Property::Nonnegative]),
    (Property::Positive, &[Property::Nonnegative]),
];

/// Pairs that leave nothing but zero, or nothing at all.
const CONTRADICTIONS: &[(Property, Property)] = &[
    (Property::Symmetric, Property::Skew),
    (Property::Nonnegative, Property::Skew),
    (Property::OneHot, Property::Positive),
    (Property::Diagonal, Property::Positive),
];

impl Property {
    /// The names of all properties, as `assume` spells them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|&(name, _)| name)
    }

    /// The property of that name in the language.
    pub fn named(name: &str) -> Option<Property> {
        NAMES.iter().find(|(text, _)| *text == name).map(|&(_, property)| property)
    }

    /// The name in the language.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|&&(_, property)| property == self).map_or("", |&(text, _)| text)
    }

    /// Whether only square matrices can have it.
    pub(crate) fn needs_a_square(self) -> bool {
        matches!(
            self,
            Property::Symmetric
                | Property::Skew
                | Property::Diagonal
                | Property::Orthogonal
                | Property::Invertible
                | Property::PositiveDefinite
        )
    }
}

impl Properties {
    /// With all that follows: a posdef matrix is symmetric and invertible, and so on.
    #[must_use]
    pub fn closed(mut self) -> Properties {
        for (property, consequences) in CONSEQUENCES {
            if self.has(*property) {
                self = consequences.iter().fold(self, |all, &consequence| all.with(consequence));
            }
        }
        self
    }

    /// Two properties in the set that cannot hold together.
    pub fn contradiction(self) -> Option<(Property, Property)> {
        CONTRADICTIONS.iter().copied().find(|&(a, b)| self.has(a) && self.has(b))
    }
}

#[cfg(test)]
mod tests {
    use super::{CONSEQUENCES, NAMES, Properties, Property};

    #[test]
    fn consequences_are_complete_after_one_pass() {
        for &(_, property) in NAMES {
            let once = Properties::NONE.with(property).closed();
            assert_eq!(once, once.closed(), "{}", property.name());
            assert_eq!(once.contradiction(), None);
        }
        assert!(Properties::NONE.with(Property::OneHot).closed().has(Property::Nonnegative));
        assert!(CONSEQUENCES.iter().all(|(property, list)| !list.contains(property)));
    }
}
