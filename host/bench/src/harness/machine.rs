//! What the machine is like while a figure is measured: load, disk, and what wasmtime finds there.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use rustix::fs::statfs;
use wasmtime::PoolingAllocationConfig;

use super::statistics::median;

/// File systems in memory, by the numbers in statfs(2): what is written there is on no disk.
const IN_MEMORY: [(i64, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];
/// Durable writes of one measurement.
const WRITES: usize = 200;

/// What the machine is like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    /// Processes that wanted to run in the last minute, on average.
    pub(crate) load1: f64,
    /// The median of a durable write of 4 KiB, in microseconds.
    pub(crate) fdatasync_p50_us: f64,
    /// Whether the kernel can tell which pages of a memory were touched.
    pub(crate) pagemap: bool,
}

impl Machine {
    /// Looks. Refuses a directory in memory: a durable write there is none.
    pub(crate) fn look(directory: &Path) -> Result<Self> {
        refuse_memory(directory)?;
        Ok(Self { load1: load1()?, fdatasync_p50_us: fdatasync(directory)?, pagemap: PoolingAllocationConfig::is_pagemap_scan_available() })
    }
}

fn refuse_memory(directory: &Path) -> Result<()> {
    let found = statfs(directory).with_context(|| format!("the file system of {} is not known", directory.display()))?;
    if let Some((_, name)) = IN_MEMORY.iter().find(|(number, _)| found.f_type == *number) {
        bail!("{} is on {name}, which is memory: name a directory on a disk with --directory", directory.display());
    }
    Ok(())
}

fn load1() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("/proc/loadavg cannot be read")?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse().with_context(|| format!("/proc/loadavg begins with `{first}`, expected a number"))
}

/// The resident memory of a process in bytes, from proc(5).
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).with_context(|| format!("process {process} is not there"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel does not say VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

/// Appends page by page, as SQLite does with a log that grows.
fn fdatasync(directory: &Path) -> Result<f64> {
    let path = directory.join(format!("fdatasync-{}", std::process::id()));
    let mut file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        file.write_all(&[1; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    fs::remove_file(&path)?;
    median(&times).context("nothing was written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_refused_and_a_disk_is_measured() {
        let refused = refuse_memory(Path::new("/dev/shm"));
        if statfs("/dev/shm").is_ok_and(|found| found.f_type == IN_MEMORY[0].0) {
            assert!(refused.unwrap_err().to_string().contains("is on tmpfs, which is memory"));
        }
        let directory = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let machine = Machine::look(directory.path()).unwrap();
        assert!(machine.load1 >= 0.0 && machine.fdatasync_p50_us > 0.0);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
