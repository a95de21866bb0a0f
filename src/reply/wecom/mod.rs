//! What people say in the WeCom application: the platform calls us.

pub mod crypt;
pub mod xml;
