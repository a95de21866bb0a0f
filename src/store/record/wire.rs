//! How domain values stand in a record: each as text or as an object, defined once for both ways.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A domain value with a form in records. The domain itself knows no serde.
pub(super) trait Wire: Sized {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
}

/// For `#[serde(with = "wire")]`.
pub(super) fn serialize<T: Wire, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.put(to)
}

/// For `#[serde(with = "wire")]`.
pub(super) fn deserialize<'de, T: Wire, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::get(from)
}

/// A borrowed value, to be written.
pub(super) struct Put<'a, T>(pub &'a T);

impl<T: Wire> Serialize for Put<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.put(to)
    }
}

/// A value read.
pub(super) struct Got<T>(pub T);

impl<'de, T: Wire> Deserialize<'de> for Got<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::get(from).map(Got)
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).put(to)
    }

    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::get(from).map(Box::new)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Put))
    }

    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let got = Vec::<Got<T>>::deserialize(from)?;
        Ok(got.into_iter().map(|got| got.0).collect())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Put).serialize(to)
    }

    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::<Got<T>>::deserialize(from)?.map(|got| got.0))
    }
}

/// Reads a text without copying it where the input allows.
pub(super) fn from_text<'de, D, T, E>(
    from: D,
    expecting: &'static str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct Text<F>(&'static str, F);
    impl<T, E: fmt::Display, F: Fn(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<D: serde::de::Error>(self, text: &str) -> Result<T, D> {
            (self.1)(text).map_err(D::custom)
        }
    }
    from.deserialize_str(Text(expecting, read))
}

/// An enum with `as_str` and `from_name`.
macro_rules! named {
    ($($type:ty),* $(,)?) => {$(
        impl Wire for $type {
            fn put<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }

            fn get<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::store::record::wire::from_text(from, stringify!($type), |text| {
                    Self::from_name(text).ok_or_else(|| format!("unknown name {text}"))
                })
            }
        }
    )*};
}

/// A type whose form is that of a serde "remote" definition.
macro_rules! remote {
    ($($type:ty => $def:ty),* $(,)?) => {$(
        impl Wire for $type {
            fn put<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                <$def>::serialize(self, to)
            }

            fn get<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                <$def>::deserialize(from)
            }
        }
    )*};
}

pub(super) use {named, remote};

impl Wire for chrono::TimeDelta {
    fn put<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.num_milliseconds())
    }

    fn get<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let millis = i64::deserialize(from)?;
        Self::try_milliseconds(millis).ok_or_else(|| D::Error::custom("time span out of range"))
    }
}
