//! Programs that copy and change files by grammars of their own.

use crate::{
    analyser::Analyser,
    call::{Call, through},
    paths,
    value::{Stream, Taint},
};

impl Analyser<'_> {
    /// `dd if=… of=…`
    pub(crate) fn dd(&mut self, call: &Call<'_>) -> Stream {
        let mut printed = through(call.stdin);
        for arg in call.args {
            if arg.text.starts_with("if=") {
                let file = arg.after(3);
                let path = self.absolute(&file.text);
                if !path.starts_with("/dev/zero") && !path.starts_with("/dev/urandom") && !path.starts_with("/dev/random") {
                    let secret = self.read_path(&file, arg.span);
                    printed = Stream::Tainted(if secret { Taint::Secret(path) } else { Taint::File(path) });
                }
            }
        }
        for arg in call.args {
            if arg.text.starts_with("of=") {
                let file = arg.after(3);
                self.write_path(&file, false, call.span);
                let path = self.absolute(&file.text);
                if !paths::is_device(&path) {
                    self.env.write_file(&path, std::mem::take(&mut printed), false);
                }
                return Stream::Empty;
            }
        }
        printed
    }
}
