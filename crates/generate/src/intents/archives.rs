//! Archives: create, extract, list.

use super::{Draft, path};
use crate::Request;
use crate::words::Words;

pub(super) fn find(words: &mut Words, _request: &Request) -> Option<Draft> {
    if let Some(archive) = words.slot(&["list|show|see|view|display contents|content|files of|in|inside archive|tarball|zip? file? {file}", "what is|'s? in|inside archive|tarball|zip file? {file}"]).filter(|file| kind(file).is_some()) {
        let file = path(&archive);
        let command = match kind(&archive)? {
            Kind::Zip => format!("unzip -l {file}"),
            Kind::Seven => format!("7z l {file}"),
            Kind::Gzip => format!("gzip -l {file}"),
            Kind::Tar(_) => format!("tar -tf {file}"),
        };
        return Some(Draft::new(command, format!("Lists what {archive} holds")));
    }
    if let Some(archive) = words.slot(&[
        "extract|unpack|unzip|untar|decompress|uncompress|gunzip|open archive|tarball|file? {file}",
    ]) {
        let file = path(&archive);
        words.eat_any(&["here", "in|into current|this directory|folder"]);
        let target = words
            .slot(&["to|into|in directory|folder? {path} directory|folder?"])
            .map(|target| path(&target));
        let command = match (kind(&archive)?, target) {
            (Kind::Zip, None) => format!("unzip {file}"),
            (Kind::Zip, Some(target)) => format!("unzip {file} -d {target}"),
            (Kind::Tar(_), None) => format!("tar -xf {file}"),
            (Kind::Tar(_), Some(target)) => {
                format!("mkdir -p {target} && tar -xf {file} -C {target}")
            }
            (Kind::Gzip, None) => format!("gunzip -k {file}"),
            (Kind::Seven, None) => format!("7z x {file}"),
            (Kind::Seven, Some(target)) => format!("7z x {file} -o{target}"),
            (Kind::Gzip, Some(_)) => return None,
        };
        return Some(Draft::new(command, format!("Unpacks {archive}")));
    }
    let making = [
        "create|make tar.gz|tgz|gzipped|compressed|zip|tar|tar.xz|tar.bz2 archive|file|tarball|tar? of|from|with directory|folder|file? {path}",
        "create|make archive|tarball of|from directory|folder? {path}",
        "compress|archive|zip|tar|pack|gzip up? directory|folder|file? {path}",
    ];
    let bare = words.mentions("tar.gz|tgz|tar.xz|tar.bz2");
    let named = words.take("create|make archive|tarball|zip|tar? file? called|named {file} of|from|with|containing directory|folder? {path}");
    if let Some(found) = named.or_else(|| if bare { None } else { words.take("create|make archive|tarball? {file} of|from|with|containing directory|folder? {path}") }) {
        let [archive, source] = found.as_slice() else { return None };
        return create(archive, source);
    }
    let zip = words.mentions("zip");
    let gzip = words.mentions("gzip");
    let xz = words.mentions("tar.xz");
    let bz = words.mentions("tar.bz2");
    let plain = words.mentions("tar") && !words.mentions("gzipped|compressed|compress|tar.gz");
    let source = words.slot(&making)?;
    words.eat("directory|folder");
    let named = words.slot(&["into|as|to|called|named|in archive|file? {file}"]);
    let wanted =
        words.slot(&["with|using|as|into|to zip|gzip|tar.gz|tgz|xz|tar.xz archive|file|tarball?"]);
    let _ = wanted;
    let base = source
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(&source)
        .to_owned();
    let base = if base.is_empty() || base == "." || base == ".." || base == "~" {
        "archive".to_owned()
    } else {
        base
    };
    let ending = if zip {
        "zip"
    } else if xz {
        "tar.xz"
    } else if bz {
        "tar.bz2"
    } else if plain {
        "tar"
    } else {
        "tar.gz"
    };
    if gzip && named.is_none() && base.contains('.') {
        return Some(Draft::new(
            format!("gzip -k {}", path(&source)),
            format!("Compresses {source}, keeping it"),
        ));
    }
    let archive = named.unwrap_or_else(|| format!("{base}.{ending}"));
    create(&archive, &source)
}

fn create(archive: &str, source: &str) -> Option<Draft> {
    let (file, from) = (path(archive), path(source));
    let command = match kind(archive)? {
        Kind::Zip => format!("zip -r {file} {from}"),
        Kind::Seven => format!("7z a {file} {from}"),
        Kind::Gzip => format!("gzip -c {from} > {file}"),
        Kind::Tar(flag) => format!("tar -c{flag}f {file} {from}"),
    };
    Some(Draft::new(
        command,
        format!("Packs {source} into {archive}"),
    ))
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tar(&'static str),
    Zip,
    Seven,
    Gzip,
}

fn kind(file: &str) -> Option<Kind> {
    let low = file.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| low.ends_with(ending));
    Some(if ends(&[".tar.gz", ".tgz"]) {
        Kind::Tar("z")
    } else if ends(&[".tar.bz2", ".tbz2", ".tbz"]) {
        Kind::Tar("j")
    } else if ends(&[".tar.xz", ".txz"]) {
        Kind::Tar("J")
    } else if ends(&[".tar"]) {
        Kind::Tar("")
    } else if ends(&[".zip", ".jar", ".war"]) {
        Kind::Zip
    } else if ends(&[".7z"]) {
        Kind::Seven
    } else if ends(&[".gz"]) {
        Kind::Gzip
    } else {
        return None;
    })
}
