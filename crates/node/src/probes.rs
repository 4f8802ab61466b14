//! What this machine has, beyond what its nodes say of themselves: the frequency of its processors,
//! its GPUs, how fast its network may be and how much of what it sends is lost. Read from the files
//! of Linux; on other systems, and where there is no such file, it is not known.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use bary_model::machine::{Machine, offered_mib};
use serde::{Deserialize, Serialize};

/// What was found; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probed {
    /// The frequency of a processor, in MHz: the highest it has, or that of now where only that is
    /// told.
    pub(crate) mhz: u32,
    /// How many GPUs there are, and the memory of all of them, in MiB.
    pub(crate) gpus: u32,
    pub(crate) gpu_mib: u64,
    /// The speed of the fastest link that is up, in Mbit/s.
    pub(crate) link_mbit: u32,
    /// Which part of the segments that TCP sent since this process looked first was sent again, in
    /// thousandths.
    pub(crate) resent: u16,
}

/// What does not change while the machine runs, and where the counters stood at first.
#[derive(Debug)]
struct Fixed {
    probed: Probed,
    begun: Segments,
}

/// TCP's counters: segments that were sent, and of those again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Segments {
    sent: u64,
    again: u64,
}

/// Fewer segments than these say nothing of how many are lost.
const SEGMENTS_MIN: u64 = 1_000;

/// What this machine was found to have. The first who asks has it looked up, by a thread of its own
/// since a driver may take its time; until then nothing is known.
pub(crate) fn now() -> Probed {
    static FIXED: OnceLock<Fixed> = OnceLock::new();
    static BEGUN: OnceLock<()> = OnceLock::new();
    if !cfg!(target_os = "linux") {
        return Probed::default();
    }
    let root = Path::new("/");
    BEGUN.get_or_init(|| {
        let look = move || drop(FIXED.set(Fixed::of(root, &nvidia_smi)));
        // Where there is no room for a thread nothing is known, and nothing depends on it.
        drop(std::thread::Builder::new().name("probes".to_owned()).spawn(look));
    });
    let Some(fixed) = FIXED.get() else { return Probed::default() };
    Probed { resent: Segments::of(root).again_since(fixed.begun), ..fixed.probed }
}

impl Probed {
    /// As tasks are placed by it at a node that offers so many thousandths of a GPU.
    pub(crate) fn machine(&self, milli_gpus: u64) -> Machine {
        let Self { mhz, gpus, gpu_mib, link_mbit, resent } = *self;
        let gpu_mib = offered_mib(gpu_mib, gpus, milli_gpus);
        Machine { mhz, gpu_mib, link_mbit, lost: resent }.rounded()
    }

    /// The speed of its link, in bytes a second.
    pub(crate) fn bandwidth(&self) -> f64 {
        f64::from(self.link_mbit) * 1e6 / 8.0
    }
}

impl Fixed {
    fn of(root: &Path, nvidia_smi: &dyn Fn() -> Option<String>) -> Self {
        let (gpus, gpu_mib) = gpus(root, nvidia_smi);
        let (mhz, link_mbit) = (mhz(root).unwrap_or(0), link_mbit(root));
        let probed = Probed { mhz, gpus, gpu_mib, link_mbit, resent: 0 };
        Self { probed, begun: Segments::of(root) }
    }
}

impl Segments {
    fn of(root: &Path) -> Self {
        let text = std::fs::read_to_string(root.join("proc/net/snmp")).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
        let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
            return Self::default();
        };
        let of = |wanted: &str| {
            let mut both = names.split(' ').zip(values.split(' '));
            both.find(|(name, _)| *name == wanted).and_then(|(_, value)| value.parse().ok())
        };
        Self { sent: of("OutSegs").unwrap_or(0), again: of("RetransSegs").unwrap_or(0) }
    }

    /// Which part was sent again since, in thousandths; 0 while too few were sent.
    fn again_since(self, before: Self) -> u16 {
        let sent = self.sent.saturating_sub(before.sent);
        let again = self.again.saturating_sub(before.again);
        let part = again.saturating_mul(1_000).checked_div(sent + again).unwrap_or(0);
        if sent < SEGMENTS_MIN { 0 } else { part as u16 }
    }
}

/// The highest frequency of the first processor; where that is not told, the mean of all now.
fn mhz(root: &Path) -> Option<u32> {
    let most = root.join("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
    if let Some(khz) = number(&most) {
        return u32::try_from(khz / 1_000).ok();
    }
    let text = std::fs::read_to_string(root.join("proc/cpuinfo")).ok()?;
    let lines = text.lines().filter(|line| line.starts_with("cpu MHz"));
    let each = lines.filter_map(|line| line.split(':').nth(1)?.trim().parse::<f64>().ok());
    let each: Vec<f64> = each.collect();
    let mean = each.iter().sum::<f64>() / each.len().max(1) as f64;
    (mean > 0.0).then(|| mean.round() as u32)
}

/// How many GPUs there are, and the MiB of all: of NVIDIA as the driver and its program tell, of
/// others as the kernel does.
fn gpus(root: &Path, nvidia_smi: &dyn Fn() -> Option<String>) -> (u32, u64) {
    let (mut count, mut mib) = (0, 0);
    if let Ok(entries) = std::fs::read_dir(root.join("proc/driver/nvidia/gpus")) {
        count = entries.flatten().count() as u32;
        let text = if count > 0 { nvidia_smi().unwrap_or_default() } else { String::new() };
        mib = text.lines().filter_map(|line| line.trim().parse::<u64>().ok()).sum();
    }
    for card in std::fs::read_dir(root.join("sys/class/drm")).into_iter().flatten().flatten() {
        if let Some(bytes) = number(&card.path().join("device/mem_info_vram_total"))
            && card.file_name().to_str().is_some_and(is_card)
        {
            count += 1;
            mib += bytes >> 20;
        }
    }
    (count, mib)
}

/// Whether a name is that of a card, and not of one of its outputs.
fn is_card(name: &str) -> bool {
    let number = name.strip_prefix("card").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// What NVIDIA's program says: the MiB of a GPU on each line.
fn nvidia_smi() -> Option<String> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=memory.total", "--format=csv,noheader,nounits"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The Mbit/s of the fastest link that is up; virtual ones do not say.
fn link_mbit(root: &Path) -> u32 {
    let links = std::fs::read_dir(root.join("sys/class/net")).into_iter().flatten().flatten();
    let up = links.filter(|link| {
        let state = std::fs::read_to_string(link.path().join("operstate"));
        state.is_ok_and(|state| state.trim() == "up")
    });
    let speeds = up.filter_map(|link| number(&link.path().join("speed")));
    speeds.filter_map(|speed| u32::try_from(speed).ok()).max().unwrap_or(0)
}

/// The number that a file holds.
fn number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine as its files say.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("there is room for a few files");
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("it is made");
            std::fs::write(path, text).expect("it is written");
        }
        dir
    }

    #[test]
    fn a_machine_is_what_its_files_say() {
        let dir = machine(&[
            ("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3700000\n"),
            ("proc/cpuinfo", "cpu MHz\t\t: 800.0\n"),
            ("proc/driver/nvidia/gpus/0000:01:00.0/information", ""),
            ("proc/driver/nvidia/gpus/0000:02:00.0/information", ""),
            ("sys/class/drm/card2/device/mem_info_vram_total", "17179869184\n"),
            ("sys/class/drm/card2-DP-1/device/mem_info_vram_total", "17179869184\n"),
            ("sys/class/net/eth0/operstate", "up\n"),
            ("sys/class/net/eth0/speed", "10000\n"),
            ("sys/class/net/eth1/operstate", "down\n"),
            ("sys/class/net/eth1/speed", "100000\n"),
            ("sys/class/net/veth/operstate", "up\n"),
            ("sys/class/net/veth/speed", "-1\n"),
        ]);
        let told = || Some("81559\n81559\n".to_owned());
        let found = Fixed::of(dir.path(), &told).probed;
        let gpu_mib = 2 * 81_559 + (16 << 10);
        let wanted = Probed { mhz: 3_700, gpus: 3, gpu_mib, link_mbit: 10_000, resent: 0 };
        assert_eq!(found, wanted);
        assert_eq!(found.bandwidth(), 1.25e9);
        let machine = Machine { mhz: 3_700, gpu_mib: 89_751, link_mbit: 10_000, lost: 0 };
        assert_eq!(found.machine(1_500), machine, "half of the GPUs are offered");
    }

    #[test]
    fn what_no_file_says_is_not_known() {
        let dir = machine(&[("proc/cpuinfo", "cpu MHz : 2000.0\ncpu MHz : 3001.0\n")]);
        let unasked = || panic!("there is no GPU to ask for");
        let found = Fixed::of(dir.path(), &unasked).probed;
        assert_eq!(found, Probed { mhz: 2_501, ..Probed::default() });
        assert_eq!(Probed::default().machine(1_000), Machine::default());
        assert_eq!(mhz(&dir.path().join("none")), None);
    }

    #[test]
    fn the_part_that_is_sent_again_is_of_what_was_sent_since() {
        let at = |sent: u64, again: u64| {
            let text = format!("Tcp: InSegs OutSegs RetransSegs\nTcp: 5 {sent} {again}\n");
            Segments::of(machine(&[("proc/net/snmp", &text)]).path())
        };
        let before = at(1_000_000, 900);
        assert_eq!(before, Segments { sent: 1_000_000, again: 900 });
        assert_eq!(at(1_000_999, 1_900).again_since(before), 0, "they are too few");
        assert_eq!(at(1_009_000, 1_900).again_since(before), 100);
        assert_eq!(Segments::default().again_since(before), 0);
    }
}
