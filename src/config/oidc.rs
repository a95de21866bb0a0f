//! `[oidc]`: the office's own sign-in service.

use super::certificates::certificates;
use super::email;
use super::reader::Reader;
use super::secret::Secret;
use crate::domain::user::Role;

/// `[oidc]`; there is one where `issuer` is set.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// The service, exactly as it names itself.
    pub issuer: String,
    /// As whom we are registered there.
    pub client_id: String,
    /// What proves it; none for a client that the service knows by its address alone.
    pub client_secret: Option<Secret>,
    /// What people call the service.
    pub name: String,
    /// The claim by which a user without a known subject is matched by name, once.
    pub name_claim: Option<String>,
    /// What somebody may do whom nobody has added; none: they are not let in.
    pub create_role: Option<Role>,
    /// Certificate authorities of its own, as PEM.
    pub ca: Option<Vec<u8>>,
}

impl OidcConfig {
    /// None where the section is not used; also where it has faults, which are then gathered.
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        let form = "登录服务的地址，以 https:// 开头，与服务自己公布的 issuer 完全一致";
        let issuer = r.parsed("issuer", form, issuer);
        let client_id = r.text("client_id");
        let client_secret = r.secret_in_file("client_secret_file");
        let name = r.text("name").unwrap_or_else(|| "统一身份认证".into());
        let name_claim = r.text("name_claim");
        let form = " \"viewer\" 或 \"coordinator\"；管理员须由管理员新增";
        let create_role = r.parsed("create_role", form, |text| {
            Role::from_name(text).filter(|role| *role != Role::Admin)
        });
        let ca = ca(r);
        let issuer = issuer?;
        if client_id.is_none() {
            r.fault("client_id", "请填写在登录服务上登记的客户端标识");
        }
        if create_role.is_some() && name_claim.is_none() {
            r.fault(
                "create_role",
                "自动新增账号需要知道账号名，请同时填写 name_claim，如 \"preferred_username\"",
            );
        }
        Some(Self {
            issuer,
            client_id: client_id?,
            client_secret,
            name,
            name_claim,
            create_role,
            ca,
        })
    }
}

/// Over TLS, except on this machine.
fn issuer(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let host = url.host_str()?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && email::is_loopback(host));
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    (safe && bare).then(|| text.to_owned())
}

fn ca(r: &mut Reader<'_>) -> Option<Vec<u8>> {
    let name = r.text("ca_file")?;
    let found = certificates(&r.find(&name));
    found.map_err(|why| r.fault("ca_file", why)).ok()
}
