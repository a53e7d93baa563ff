//! `storage upload` and `storage download`: files put on a storage of a node.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use reanimator_core::{
    Error, ErrorKind, Fleet,
    access::Principal,
    fleet::NewUpload,
    model::{Action, HostId, NewStep, StorageChange, StorageContent},
};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::operate;
use crate::{
    context::Context,
    failure::{Done, Failure},
};

/// What is read of a file at once.
const PIECE: usize = 256 * 1024;

/// Where a file is put, and as what.
#[derive(Debug, Args)]
pub(crate) struct WhereArgs {
    /// On which storage of which node
    #[arg(long, value_name = "NODE:STORAGE")]
    to: String,
    /// What it is [default: what its name ends as]
    #[arg(long, value_name = "KIND")]
    content: Option<Content>,
    /// What to call it there [default: what it is called here]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    how: operate::How,
}

/// What `storage upload` takes.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// The file
    file: PathBuf,
    /// Its SHA-256, which is compared before it is sent
    #[arg(long, value_name = "SUM")]
    sha256: Option<String>,
    #[command(flatten)]
    place: WhereArgs,
}

/// What `storage download` takes.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// From where: https or http
    url: String,
    /// Its SHA-256, which the node compares
    #[arg(long, value_name = "SUM")]
    sha256: Option<String>,
    #[command(flatten)]
    place: WhereArgs,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Content {
    /// An image of a CD or DVD
    Iso,
    /// A template of containers
    Vztmpl,
    /// A disk image, to be imported
    Import,
}

impl Content {
    /// What a name's ending says.
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".iso", ".img"]) {
            Some(Self::Iso)
        } else if name.contains(".tar.") {
            Some(Self::Vztmpl)
        } else if ends(&[".qcow2", ".raw", ".vmdk", ".ova"]) {
            Some(Self::Import)
        } else {
            None
        }
    }
}

impl From<Content> for StorageContent {
    fn from(content: Content) -> Self {
        match content {
            Content::Iso => Self::Iso,
            Content::Vztmpl => Self::Vztmpl,
            Content::Import => Self::Import,
        }
    }
}

/// A place that was read.
struct Place {
    host: HostId,
    storage: String,
    content: StorageContent,
    name: String,
}

impl Place {
    async fn of(fleet: &Fleet, args: &WhereArgs, called: &str) -> Result<Self, Failure> {
        let refuse =
            |cause: &str, next: &str| Error::new(ErrorKind::Invalid, "find the storage").because(cause).next(next);
        let (node, storage) = args
            .to
            .rsplit_once(':')
            .filter(|(node, storage)| !node.is_empty() && !storage.is_empty())
            .ok_or_else(|| refuse("--to is not NODE:STORAGE", "see `reanimator storage list`"))?;
        let name = args.name.clone().unwrap_or_else(|| called.to_owned());
        let content = args.content.or_else(|| Content::of(&name)).ok_or_else(|| {
            refuse(&format!("the name {name:?} does not say what it is"), "give --content iso, vztmpl or import")
        })?;
        let host = fleet.host(node).await?.host.id;
        Ok(Self { host, storage: storage.to_owned(), content: content.into(), name })
    }

    fn steps(self, change: StorageChange) -> Vec<NewStep> {
        let Self { host, storage, content, name } = self;
        vec![Action::Storage { host, storage, content, name, change }.into()]
    }
}

/// `storage upload`: hands the file over, then puts it there.
pub(crate) async fn upload(args: UploadArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let called = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let place = Place::of(&fleet, &args.place, &called).await?;
    let id = hand_over(&fleet, &args.file, called, args.sha256, context).await?;
    let steps = place.steps(StorageChange::Upload { file: id.clone() });
    let done = operate::run(steps, &args.place.how, context).await;
    // One that was left goes on elsewhere, and needs the file.
    if done.is_ok() {
        fleet.drop_upload(&id)?;
    }
    done
}

async fn hand_over(
    fleet: &Fleet,
    path: &Path,
    name: String,
    sha256: Option<String>,
    context: &Context,
) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::NotFound, format!("read {}", path.display()))
            .next("name a file that can be read")
            .from_source(error)
    };
    let file = File::open(path).await.map_err(unreadable)?;
    let size = file.metadata().await.map_err(unreadable)?.len();
    let on = format!("{name}, {size} bytes");
    let who = Principal::local().who();
    let begin = fleet.begin_upload(NewUpload { name, size, sha256 }, &who);
    let begun = context.audited(fleet, "upload begin", &on, begin).await?;
    context.screen.note("Taking the file in.");
    let pieces = ReaderStream::with_capacity(file, PIECE);
    match fleet.append_upload(&begun.id, 0, pieces).await {
        Ok(upload) if upload.complete => Ok(upload.id),
        Ok(upload) => {
            fleet.drop_upload(&upload.id)?;
            let cause = format!("it has become shorter than the {size} bytes that it had");
            Err(Error::new(ErrorKind::Conflict, format!("read {}", path.display())).because(cause).into())
        }
        Err(error) => {
            fleet.drop_upload(&begun.id)?;
            Err(error.into())
        }
    }
}

/// `storage download`: has the node fetch a file.
pub(crate) async fn download(args: DownloadArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let path = args.url.split(['?', '#']).next().unwrap_or_default();
    let called = path.rsplit('/').next().unwrap_or_default();
    let place = Place::of(&fleet, &args.place, called).await?;
    let change = StorageChange::Download { url: args.url, sha256: args.sha256 };
    operate::run(place.steps(change), &args.place.how, context).await
}
