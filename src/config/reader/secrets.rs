//! Secrets, which stand in files of their own or, some of them, in the config itself.

use super::Reader;
use crate::config::gathered::Secrets;
use crate::config::secret::{Secret, is_hidden, read_secret};

impl Reader<'_> {
    /// A secret under `key`, or in the file that `file_key` names; both is a fault.
    pub(in crate::config) fn secret(
        &mut self,
        key: &'static str,
        file_key: &'static str,
    ) -> Option<Secret> {
        let plain = self.raw_text(key);
        let file = self.text(file_key);
        match (plain, file) {
            (Some(_), Some(_)) => {
                self.show(key, Some("\"***\"".to_owned()));
                self.fault(
                    file_key,
                    format!("{key} 与 {file_key} 只能填写一个，请删去其中之一"),
                );
                None
            }
            (Some(plain), None) => {
                self.show(key, Some("\"***\"".to_owned()));
                Some(Secret::new(plain))
            }
            (None, Some(name)) => self.secret_file(file_key, &name),
            (None, None) => None,
        }
    }

    /// A secret that may stand in a file only, never in the config itself.
    pub(in crate::config) fn secret_in_file(&mut self, key: &'static str) -> Option<Secret> {
        let name = self.text(key)?;
        self.secret_file(key, &name)
    }

    fn secret_file(&mut self, key: &'static str, name: &str) -> Option<Secret> {
        if self.gathered.secrets == Secrets::Closed {
            return Some(Secret::unread());
        }
        let path = self.gathered.find_secret(name);
        if self.gathered.secrets == Secrets::Readable && is_hidden(&path) {
            let message = format!("当前账号没有读取 {} 的权限，这一项没有核对", path.display());
            self.warn(key, message);
            return Some(Secret::unread());
        }
        match read_secret(&path) {
            Ok((secret, private)) => {
                if !private {
                    self.warn(
                        key,
                        format!("其他用户也能读取 {0}，请执行 chmod 600 {0}", path.display()),
                    );
                }
                Some(secret)
            }
            Err(why) => {
                self.fault(key, why);
                None
            }
        }
    }
}
