//! What Linux leaves to this process of the machine's memory: limits of the process itself (`ulimit -v`
//! and `-d`), and of every control group that it is in, which systemd, Slurm and containers set. Other
//! systems have none of these files, and no such limits.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Bytes that are left under the tightest limit, if there is any.
pub(crate) fn left() -> Option<u64> {
    left_of(Path::new("/proc/self"), Path::new("/sys/fs/cgroup"))
}

/// The same of a process, and of control groups that are mounted there.
fn left_of(process: &Path, groups: &Path) -> Option<u64> {
    own(process).into_iter().chain(of_groups(process, groups)).min()
}

/// What the limits of the process leave: on its addresses, and on its data.
fn own(process: &Path) -> Vec<u64> {
    let (limits, status) = (text(&process.join("limits")), text(&process.join("status")));
    let after = |text: &str, key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key))?;
        value.split_whitespace().next()?.parse::<u64>().ok()
    };
    [("Max address space", "VmSize:"), ("Max data size", "VmData:")]
        .into_iter()
        .filter_map(|(limit, used)| Some((after(&limits, limit)?, after(&status, used)?)))
        .map(|(limit, used)| limit.saturating_sub(used << 10))
        .collect()
}

/// What the control groups leave, those above the process's own included.
fn of_groups(process: &Path, groups: &Path) -> Vec<u64> {
    let own = text(&process.join("cgroup"));
    own.lines().filter_map(|line| Group::of(line, groups)).flat_map(|group| group.left()).collect()
}

/// A control group and the files that tell of its memory.
struct Group {
    root: PathBuf,
    path: PathBuf,
    limit: &'static str,
    used: &'static str,
    /// Pages of files, which the system takes back before it refuses anything.
    reclaimable: &'static str,
}

impl Group {
    /// That of a line `ID:CONTROLLERS:PATH`, if it bounds memory: version 2 has one group for everything,
    /// version 1 one for each controller.
    fn of(line: &str, groups: &Path) -> Option<Self> {
        let mut parts = line.splitn(3, ':');
        let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?.trim_start_matches('/'));
        let group = |root: PathBuf, [limit, used, reclaimable]: [&'static str; 3]| {
            Some(Self { path: root.join(path), root, limit, used, reclaimable })
        };
        if id == "0" && controllers.is_empty() {
            return group(groups.into(), ["memory.max", "memory.current", "inactive_file "]);
        }
        let files = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "];
        controllers.split(',').find(|&name| name == "memory").and_then(|name| group(groups.join(name), files))
    }

    fn left(&self) -> Vec<u64> {
        let number = |path: PathBuf| text(&path).trim().parse::<u64>().ok();
        let left = |group: &Path| {
            let (limit, used) = (number(group.join(self.limit))?, number(group.join(self.used))?);
            let stat = text(&group.join("memory.stat"));
            let reclaimable = stat.lines().find_map(|line| line.strip_prefix(self.reclaimable)?.parse().ok());
            Some(limit.saturating_sub(used.saturating_sub(reclaimable.unwrap_or(0))))
        };
        self.path.ancestors().take_while(|group| group.starts_with(&self.root)).filter_map(left).collect()
    }
}

fn text(path: &Path) -> String {
    read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files by their paths below a folder.
    fn files(folder: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn left_with(list: &[(&str, &str)]) -> Option<u64> {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path(), list);
        left_of(&folder.path().join("self"), &folder.path().join("cgroup"))
    }

    #[test]
    fn without_limits_there_are_none() {
        assert_eq!(left_with(&[]), None);
        let unlimited = "Limit  Soft Limit  Hard Limit  Units\nMax address space   unlimited   unlimited   bytes\n";
        let status = "VmSize:\t   100 kB\nVmData:\t   10 kB\n";
        let v2 = [("self/cgroup", "0::/a\n"), ("cgroup/a/memory.max", "max\n"), ("cgroup/a/memory.current", "5\n")];
        let own = [("self/limits", unlimited), ("self/status", status)];
        assert_eq!(left_with(&[&v2[..], &own].concat()), None);
    }

    #[test]
    fn limits_of_the_process_leave_what_it_does_not_use() {
        let limits = "Max data size    100000   unlimited   bytes\nMax address space  150000  unlimited   bytes\n";
        let status = "VmPeak:\t 500 kB\nVmSize:\t     100 kB\nVmData:\t      70 kB\n";
        let left = left_with(&[("self/limits", limits), ("self/status", status)]);
        assert_eq!(left, Some(100_000 - 70 * 1024));
        let left = left_with(&[("self/limits", limits), ("self/status", &status.replace("70", "10"))]);
        assert_eq!(left, Some(150_000 - 100 * 1024));
        let beyond = left_with(&[("self/limits", limits), ("self/status", &status.replace("70", "700"))]);
        assert_eq!(beyond, Some(0));
    }

    /// The group of a job lies below those of its user and of the machine; the tightest counts, and pages of files
    /// are no use of memory.
    #[test]
    fn every_group_above_the_process_counts() {
        let v2 = |own: &'static str, above: &'static str| {
            left_with(&[
                ("self/cgroup", "0::/slurm/job_7/step_0\n"),
                ("cgroup/slurm/job_7/step_0/memory.max", own),
                ("cgroup/slurm/job_7/step_0/memory.current", "1000\n"),
                ("cgroup/slurm/job_7/memory.max", above),
                ("cgroup/slurm/job_7/memory.current", "5000\n"),
                ("cgroup/slurm/job_7/memory.stat", "anon 900\ninactive_file 4000\nfile 1\n"),
                ("cgroup/slurm/memory.max", "max\n"),
                ("cgroup/slurm/memory.current", "5000\n"),
                ("memory.max", "1\n"),
                ("memory.current", "0\n"),
            ])
        };
        assert_eq!(v2("max\n", "6000\n"), Some(6000 - (5000 - 4000)));
        assert_eq!(v2("1500\n", "6000\n"), Some(500));
        assert_eq!(v2("max\n", "max\n"), None);
        let v1 = left_with(&[
            ("self/cgroup", "9:name=systemd:/\n4:cpu,memory:/job\n0::/\n"),
            ("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cgroup/memory/memory.usage_in_bytes", "7\n"),
            ("cgroup/memory/job/memory.limit_in_bytes", "800\n"),
            ("cgroup/memory/job/memory.usage_in_bytes", "700\n"),
            ("cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 50\n"),
        ]);
        assert_eq!(v1, Some(150));
        // A container sees its own group where the path says otherwise.
        let container = left_with(&[
            ("self/cgroup", "0::/docker/abc\n"),
            ("cgroup/memory.max", "900\n"),
            ("cgroup/memory.current", "100\n"),
        ]);
        assert_eq!(container, Some(800));
    }
}
