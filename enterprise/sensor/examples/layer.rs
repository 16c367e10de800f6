//! The machine layer alone, for `cargo xtask bench sensor`: captures, judges and seals into a folder
//! that goes away, until its standard input ends.

use std::io::Read as _;

fn main() -> anyhow::Result<()> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("judge") {
        return cmdai_sensor::judge_main();
    }
    let enforce = argument.as_deref() == Some("enforce");
    let lost = std::env::temp_dir().join(format!("cmdai-layer-{}.lost", std::process::id()));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = stop.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let folder = tempfile::tempdir()?;
    cmdai_sensor::measure_layer(
        folder.path(),
        enforce,
        (std::env::current_exe()?, vec!["judge".to_owned()]),
        &stop,
        &mut |ready, status| match ready {
            true => println!("ready"),
            false if !status.on && status.state.starts_with("off:") => {
                println!("{}", status.state);
            }
            false => {
                let _ = std::fs::write(&lost, status.lost.to_string());
            }
        },
    )
}
