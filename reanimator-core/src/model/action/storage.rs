//! What can be put on storages of nodes.

use serde::{Deserialize, Serialize};

/// What a file on a storage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StorageContent {
    /// An image of a CD or DVD.
    Iso,
    /// A template of containers.
    Vztmpl,
    /// A disk image, to be imported.
    Import,
}

impl StorageContent {
    /// As Proxmox calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Vztmpl => "vztmpl",
            Self::Import => "import",
        }
    }
}

/// What can be put on a storage of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum StorageChange {
    /// Puts a file there that was handed over before, and is named by the id that it got then.
    Upload {
        /// Its id.
        file: String,
    },
    /// Has the node fetch a file by itself.
    Download {
        /// From where: `https` or `http`.
        url: String,
        /// Its SHA-256, which the node compares. Defaults to none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
}
