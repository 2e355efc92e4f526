//! Two shapes that recur at the engine's border: an enum whose members have names, and a union of messages.

/// An enum of names: `as_str` gives a member's name, `ALL` lists them, `FromStr` reads one.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $member:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$about])* $member,)* }

        impl $name {
            /// Every member, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$member,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl From<$name> for $crate::text::Text {
            fn from(member: $name) -> Self {
                Self::Borrowed(member.as_str())
            }
        }
    };
}

/// A union of structs, each under its own name; in a trace `kind` says which it is.
macro_rules! union {
    ($(#[$doc:meta])* $name:ident { $($kind:ident($held:ty),)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[allow(missing_docs)] // each member is documented where its struct stands
        pub enum $name { $($kind($held),)* }

        impl $name {
            /// The name of every member.
            pub const KINDS: &[&str] = &[$(stringify!($kind),)*];
        }

        $(impl From<$kind> for $name {
            fn from(member: $kind) -> Self {
                Self::$kind(member.into())
            }
        })*
    };
}

pub(crate) use {names, union};
