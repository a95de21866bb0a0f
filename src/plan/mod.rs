//! From a table file to facts, and the contact sheet.

pub mod contacts;
pub mod import;

#[cfg(test)]
mod fixture;
