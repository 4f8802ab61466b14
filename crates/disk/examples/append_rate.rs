//! Measures the journal on real files: batches a second with one sync for a group of them, and how
//! fast a log is read when it is opened. `append_rate DIR [BATCHES] [BATCH_BYTES] [GROUP]`.

#![expect(clippy::print_stdout, reason = "an example tells its figures")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use bary_disk::file::FileDisk;
use bary_journal::config::LogConfig;
use bary_journal::log::Log;
use bary_model::id::Lsn;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("append_rate DIR [BATCHES] [BATCH_BYTES] [GROUP]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (batches, bytes, group) = (number(200_000)?, number(100)?, number(64)?);
    let dir = Path::new(&dir);
    let batch = vec![7; usize::try_from(bytes)?];

    let open = || -> Result<_, Box<dyn Error>> {
        let disk = Box::new(FileDisk::open(dir)?);
        Ok(Log::open(disk, LogConfig::default(), 1, &mut |_| ControlFlow::Continue(()))?)
    };
    let (mut log, _) = open()?;
    let first = log.next().0;
    let began = Instant::now();
    for lsn in first..first + batches {
        log.write(Lsn(lsn), &batch)?;
        if lsn % group == 0 {
            log.sync()?;
        }
    }
    log.sync()?;
    let seconds = began.elapsed().as_secs_f64();
    let syncs = batches.div_ceil(group) as f64;
    println!("appends_per_s {:.0}", batches as f64 / seconds);
    println!("microseconds_per_group {:.1}", seconds * 1e6 / syncs);
    drop(log);

    let began = Instant::now();
    let (_, recovered) = open()?;
    let seconds = began.elapsed().as_secs_f64();
    println!("recovered_batches {} in {:.3} s", recovered.batches, seconds);
    println!("recovery_mb_per_s {:.0}", recovered.bytes as f64 / 1e6 / seconds);
    Ok(())
}
