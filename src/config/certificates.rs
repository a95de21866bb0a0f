//! Certificate authorities of a site's own.

use std::fs;
use std::path::Path;

/// A PEM file with at least one certificate in it.
pub(super) fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let bytes = fs::read(path)
        .map_err(|error| format!("读取证书文件 {shown} 失败（{error}），请检查路径和权限"))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes);
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(bytes),
        _ => Err(format!(
            "{shown} 里没有 PEM 格式（BEGIN CERTIFICATE）的证书，请导出为 PEM 再填写"
        )),
    }
}
