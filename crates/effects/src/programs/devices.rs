//! Disks, volumes, firmware, and what starts the machine.

use cmdai_schema::{Certainty, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    fn sure(&mut self, kind: EffectKind, call: &Call<'_>) {
        self.emit(kind, call.span, Certainty::Proven);
    }

    /// Something of the machine changes.
    pub(super) fn machine_change(
        &mut self,
        resource: &str,
        name: &str,
        provider: &str,
        call: &Call<'_>,
    ) {
        self.sure(
            EffectKind::ResourceChange {
                resource: resource.to_owned(),
                name: name.to_owned(),
                provider: provider.to_owned(),
                context: None,
            },
            call,
        );
    }

    fn device_write(&mut self, path: &str, call: &Call<'_>) {
        let path = self.absolute(path);
        self.sure(EffectKind::DeviceWrite { path }, call);
    }

    /// `parted DISK COMMAND…`: several commands may follow one another.
    pub(crate) fn parted(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let looks = parsed.has("list") || parsed.has("l");
        let quiet = parsed.has("delete") || parsed.has("dry-run");
        if call.name == "partprobe" {
            // Of every disk, where none is named.
            let disk = parsed.nth(1).map_or("all", |disk| disk.text.as_str());
            if !quiet {
                self.machine_change("partitions-of-running-disk", disk, "host", call);
            }
            return Stream::UNKNOWN;
        }
        let Some(disk) = parsed.nth(1).cloned() else {
            return Stream::UNKNOWN;
        };
        let words: Vec<&str> = parsed
            .rest()
            .skip(1)
            .map(|text| text.text.as_str())
            .collect();
        let writes = match call.name {
            "parted" => {
                words.iter().any(|word| {
                    matches!(
                        *word,
                        "mklabel"
                            | "mktable"
                            | "mkpart"
                            | "mkpartfs"
                            | "mkfs"
                            | "rm"
                            | "resizepart"
                            | "resize"
                            | "move"
                            | "rescue"
                            | "name"
                            | "set"
                            | "toggle"
                            | "disk_set"
                            | "disk_toggle"
                            | "cp"
                    )
                }) || words.is_empty() && !looks
            }
            "delpart" | "resizepart" => true,
            "partx" | "kpartx" => parsed.has("delete") && call.name == "partx",
            _ => false,
        };
        if writes && disk.text.starts_with("/dev/") {
            self.device_write(&disk.text, call);
        } else if matches!(call.name, "kpartx" | "addpart") {
            self.machine_change("partition-table", &disk.text, "host", call);
        }
        Stream::UNKNOWN
    }

    /// Volumes that grow keep what they hold, volumes that shrink lose it.
    pub(crate) fn lvm(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let name = parsed
            .rest()
            .last()
            .map_or("", |text| text.text.as_str())
            .to_owned();
        let shrinks = call.name == "lvreduce"
            || call.name == "lvresize"
                && parsed
                    .value("size")
                    .is_some_and(|size| !size.text.starts_with('+'));
        match call.name {
            "pvcreate" | "vgcreate" => {
                for disk in parsed
                    .rest()
                    .filter(|text| text.text.starts_with("/dev/"))
                    .cloned()
                    .collect::<Vec<_>>()
                {
                    self.sure(EffectKind::Format { path: disk.text }, call);
                }
            }
            "lvm" => {}
            _ if shrinks || parsed.has("missing") || call.name == "vgcfgrestore" => {
                self.sure(
                    EffectKind::ResourceDestroy {
                        resource: "volume".to_owned(),
                        name,
                        provider: "lvm".to_owned(),
                        context: None,
                    },
                    call,
                );
            }
            _ => self.machine_change("volume", &name, "lvm", call),
        }
        Stream::UNKNOWN
    }

    /// Firmware and flash memory.
    pub(crate) fn firmware(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match call.name {
            "flashrom" => {
                if parsed.has("write") || parsed.has("erase") {
                    self.device_write("flash", call);
                }
            }
            "fwupdmgr" => {
                if matches!(
                    parsed.sub(),
                    "update"
                        | "upgrade"
                        | "install"
                        | "downgrade"
                        | "activate"
                        | "switch-branch"
                        | "reinstall"
                        | "local-install"
                        | "install-blob"
                ) {
                    let what = parsed.sub().to_owned();
                    self.machine_change("firmware", &what, "host", call);
                }
            }
            _ => {
                let disk = parsed
                    .rest()
                    .find(|text| text.text.starts_with("/dev/"))
                    .cloned();
                if let Some(disk) = disk {
                    self.sure(EffectKind::Format { path: disk.text }, call);
                }
            }
        }
        Stream::UNKNOWN
    }

    /// `tune2fs`, `resize2fs`, `debugfs`: settings of a file system, and its inside by hand.
    pub(crate) fn filesystem(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("list") {
            return Stream::UNKNOWN;
        }
        let Some(disk) = parsed
            .rest()
            .find(|text| text.text.starts_with("/dev/"))
            .or_else(|| parsed.nth(1))
            .cloned()
        else {
            return Stream::UNKNOWN;
        };
        match call.name {
            "debugfs" | "xfs_db" => {
                let writes = parsed.has("write") || parsed.has("x");
                if writes && disk.text.starts_with("/dev/") {
                    self.device_write(&disk.text, call);
                }
            }
            "xfs_io" => {}
            // Labels are shown where nothing else is given.
            "e2label" | "ntfslabel" | "fatlabel" | "swaplabel" if parsed.rest().len() < 2 => {}
            "tune2fs" if parsed.options.is_empty() => {}
            _ if parsed.has("shrink") => {
                self.machine_change("file-system-size", &disk.text, "host", call);
            }
            _ => self.machine_change("file-system", &disk.text, "host", call),
        }
        Stream::UNKNOWN
    }

    /// Registers of processors and devices.
    pub(crate) fn machine_registers(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let writes = match call.name {
            "wrmsr" => true,
            "devmem" | "devmem2" => parsed.rest().len() > 2,
            "setpci" => parsed.rest().any(|text| text.text.contains('=')),
            "kpatch" | "livepatch" | "canonical-livepatch" => {
                matches!(parsed.sub(), "load" | "unload" | "enable" | "disable")
            }
            _ => false,
        };
        if writes {
            self.sure(
                EffectKind::KernelModule {
                    name: "registers".to_owned(),
                },
                call,
            );
        }
        Stream::UNKNOWN
    }

    /// Boot loaders and their entries.
    pub(crate) fn boot(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let first = parsed.nth(1).cloned();
        match call.name {
            "efibootmgr" => {
                let entry = parsed
                    .value("b")
                    .map_or("order", |text| text.text.as_str())
                    .to_owned();
                if parsed.has("delete") {
                    self.machine_change("boot-entry", &entry, "host", call);
                } else if ["change", "o", "n", "N", "O", "a", "A"]
                    .iter()
                    .any(|flag| parsed.has(flag))
                    || parsed.has("output")
                {
                    self.machine_change("boot", "order", "host", call);
                }
            }
            "mokutil" => {
                if parsed.has("validation") {
                    self.sure(
                        EffectKind::DisableSecurity {
                            what: "secure-boot".to_owned(),
                        },
                        call,
                    );
                } else if parsed.has("import") {
                    self.machine_change("boot-key", "import", "host", call);
                }
            }
            "grubby" | "bootctl" | "grub-mkconfig" | "grub2-mkconfig" => {
                let shows = parsed.has("info")
                    || parsed.has("default-kernel")
                    || matches!(parsed.sub(), "status" | "list" | "is-installed" | "")
                        && call.name == "bootctl";
                if let Some(file) = parsed.value("output").cloned() {
                    self.write_path(&file, false, call.span);
                }
                if !shows {
                    self.machine_change("boot", call.name, "host", call);
                }
            }
            _ => {
                self.machine_change("boot", call.name, "host", call);
                if let Some(Text { text, .. }) = first.filter(|text| text.text.starts_with("/dev/"))
                {
                    self.device_write(&text, call);
                }
            }
        }
        Stream::UNKNOWN
    }
}
