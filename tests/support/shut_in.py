#!/usr/bin/python3
"""shut_in.py UNIT TREE [NAME=VALUE]...: become the command of a systemd unit, shut
in as the unit says, where there is no systemd to do it.

TREE is what `make install DESTDIR=TREE PREFIX=/usr` made, with the user of
systemd-sysusers in its etc/passwd.  It is laid over /usr, its etc is /etc; the rest
of the machine is not there.  NAME=VALUE go into the environment, which is else
empty.  Each directive of [Service] is in the table below, with what it means here:
one that is new has to be thought about first.  Needs root."""

import ctypes
import functools
import os
import re
import resource
import shlex
import subprocess
import sys

import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x4000000, 0x8000000, 0x10000000
CLONE_NEW_ANY = 0x7E020080
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
PIVOT_ROOT, MNT_DETACH = {"x86_64": 155, "aarch64": 41}, 2
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NODES = "null", "zero", "full", "random", "urandom", "tty"

# What systemd does before or after, or what the rest includes: without devices,
# capabilities and system calls for it there is nothing left to protect.
ELSEWHERE = {
    "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus", "WatchdogSec",
    "TimeoutStopSec", "OOMPolicy", "ConfigurationDirectory", "RemoveIPC", "ProtectClock", "ProtectKernelModules",
    "ProtectKernelLogs", "AmbientCapabilities"}


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s%r: %s" % (name, arguments, os.strerror(number)))


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


class Unit:
    def __init__(self, path):
        self.rows = {}  # Of [Service]: every value of each directive.
        section = None
        for line in open(path):
            line = line.strip()
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and line[0] != "#":
                name, value = line.split("=", 1)
                self.rows.setdefault(name, []).append(value)

    def one(self, name):
        return self.rows[name][-1]

    def command(self):
        return shlex.split(self.one("ExecStart"))


class Cell:
    """A tree that holds what the unit leaves of the machine."""

    def __init__(self, unit, tree, uid, gid):
        self.unit, self.tree, self.uid, self.gid = unit, tree, uid, gid
        self.root = os.path.join(tree, "cell")

    def at(self, path):
        path = os.path.join(self.root, path)
        os.makedirs(path, exist_ok=True)
        return path

    def build(self):
        os.makedirs(self.root, exist_ok=True)
        mount("--make-rprivate", "/")
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", self.root)
        mount("-t", "overlay", "-o", "ro,lowerdir=%s/usr:/usr" % self.tree, "overlay", self.at("usr"))
        for name in ("bin", "sbin", "lib", "lib64"):
            os.symlink("usr/" + name, os.path.join(self.root, name))
        mount("--bind", os.path.join(self.tree, "etc"), self.at("etc"))
        mount("-o", "remount,bind,ro", self.at("etc"))
        mount("-t", "proc", "proc", self.at("proc"))
        mount("--rbind", "/sys", self.at("sys"))
        mount("--rbind", "/dev", self.at("dev"))
        for name in ("home", "root", "run/user", "tmp", "var/tmp"):
            self.at(name)

    def enter(self):
        """It becomes the root; chroot would not do, PrivateUsers comes after."""
        os.chdir(self.root)
        call("syscall", PIVOT_ROOT[os.uname().machine], b".", b".")
        call("umount2", b".", MNT_DETACH)
        os.chdir("/")

    # ---- one directive each; VALUE is its last value -------------------------

    def PrivateTmp(self, value):
        for name in ("tmp", "var/tmp"):
            mount("-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmpfs", self.at(name))

    def PrivateDevices(self, value):
        mount("-t", "tmpfs", "-o", "mode=755,nosuid", "tmpfs", self.at("dev"))
        for name in NODES:
            path = os.path.join(self.root, "dev", name)
            open(path, "w").close()
            mount("--bind", "/dev/" + name, path)

    def ProtectProc(self, value):
        options = "hidepid=" + value
        if "ProcSubset" in self.unit.rows:
            options += ",subset=" + self.unit.one("ProcSubset")
        subprocess.run(["umount", self.at("proc")], check=True)
        mount("-t", "proc", "-o", options, "proc", self.at("proc"))

    def ProcSubset(self, value):
        assert "ProtectProc" in self.unit.rows

    def ProtectKernelTunables(self, value):
        mount("-o", "remount,bind,ro", self.at("sys"))

    def ProtectControlGroups(self, value):
        pass  # They are below sys, or empty folders there.

    def ProtectHome(self, value):
        for name in ("home", "root", "run/user"):
            mount("-t", "tmpfs", "-o", "mode=000,ro", "tmpfs", self.at(name))

    def RuntimeDirectory(self, value):
        mount("-t", "tmpfs", "-o", "mode=755,uid=%d,gid=%d" % (self.uid, self.gid), "tmpfs", self.at("run/" + value))

    def ProtectSystem(self, value):
        assert value == "strict"
        mount("-o", "remount,bind,ro", self.root)

    BUILD = ("PrivateTmp", "PrivateDevices", "ProtectProc", "ProcSubset", "ProtectKernelTunables",
             "ProtectControlGroups", "ProtectHome", "RuntimeDirectory", "ProtectSystem")


class Filters:
    """What system calls are refused."""

    def __init__(self, unit):
        self.unit = unit
        self.refuse = seccomp.SyscallFilter(seccomp.ALLOW)

    def no(self, name, *conditions):
        self.refuse.add_rule(seccomp.ERRNO(1), name, *conditions)

    def MemoryDenyWriteExecute(self, value):
        both = PROT_WRITE | PROT_EXEC
        self.no("mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
        self.no("mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, PROT_EXEC))
        self.no("shmat", seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, SHM_EXEC))

    def RestrictAddressFamilies(self, value):
        import socket
        allowed = {getattr(socket, name) for name in value.split()}
        for family in set(range(64)) - allowed:
            self.refuse.add_rule(seccomp.ERRNO(97), "socket", seccomp.Arg(0, seccomp.EQ, family))

    def RestrictNamespaces(self, value):
        self.no("unshare")
        self.no("setns")
        self.refuse.add_rule(seccomp.ERRNO(38), "clone3")
        for bit in range(32):
            if CLONE_NEW_ANY & 1 << bit:
                self.no("clone", seccomp.Arg(0, seccomp.MASKED_EQ, 1 << bit, 1 << bit))

    def RestrictRealtime(self, value):
        for policy in (1, 2, 6):
            self.no("sched_setscheduler", seccomp.Arg(1, seccomp.EQ, policy))

    def RestrictSUIDSGID(self, value):
        for name, place in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2)):
            for bit in (0o4000, 0o2000):
                self.no(name, seccomp.Arg(place, seccomp.MASKED_EQ, bit, bit))

    def LockPersonality(self, value):
        self.no("personality", seccomp.Arg(0, seccomp.NE, 0))

    def SystemCallArchitectures(self, value):
        assert value == "native"  # A filter of libseccomp kills all others.

    def SystemCallFilter(self, value):
        allowed = members("@default")
        for line in self.unit.rows["SystemCallFilter"]:
            for name in line.lstrip("~").split():
                allowed = allowed - members(name) if line[0] == "~" else allowed | members(name)
        self.allow = seccomp.SyscallFilter(seccomp.KILL_PROCESS)
        for name in sorted(allowed):
            try:
                self.allow.add_rule(seccomp.ALLOW, name)
            except (RuntimeError, OSError, ValueError):
                pass  # No system call of this machine.

    BUILD = ("MemoryDenyWriteExecute", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
             "RestrictSUIDSGID", "LockPersonality", "SystemCallArchitectures", "SystemCallFilter")

    def load(self):
        self.refuse.load()
        self.allow.load()


@functools.lru_cache
def groups():
    """{group: its members} as systemd has them, groups in groups as well."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    parts = re.split(r"(?m)^(@[a-z0-9-]+)$", text)
    return {name: re.findall(r"(?m)^    ([@a-z_0-9][a-z_0-9-]*)$", body) for name, body in zip(parts[1::2], parts[2::2])}


def members(name):
    """The system calls that NAME stands for, a group such as @system-service."""
    return {name} if name[0] != "@" else set().union(*map(members, groups()[name]))


def private_users(uid, gid):
    """A user namespace that knows root and the service's user only; the maps are
    written by somebody who stays outside."""
    reader, writer = os.pipe()
    target = os.getpid()
    helper = os.fork()
    if not helper:
        os.close(writer)
        os.read(reader, 1)
        for name, number in (("uid_map", uid), ("gid_map", gid)):
            with open("/proc/%d/%s" % (target, name), "w") as out:
                out.write("0 0 1\n%d %d 1\n" % (number, number))
        os._exit(0)
    call("unshare", CLONE_NEWUSER)
    os.close(writer)
    os.close(reader)
    assert os.waitpid(helper, 0)[1] == 0


def limits(unit):
    for name in list(unit.rows):
        if name.startswith("Limit"):
            kind = getattr(resource, "RLIMIT_" + name[5:])
            # Root of a container may not be allowed to raise what is there.
            most = resource.getrlimit(kind)[1]
            value = int(unit.one(name))
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(kind, (value, value))
    os.umask(int(unit.one("UMask"), 8))


def drop(unit, uid, gid):
    assert unit.one("CapabilityBoundingSet") == ""
    for capability in range(int(open("/proc/sys/kernel/cap_last_cap").read()) + 1 if os.path.exists(
            "/proc/sys/kernel/cap_last_cap") else 41):
        call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    assert unit.one("NoNewPrivileges") == "yes"
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


HERE = {"User", "UMask", "NoNewPrivileges", "CapabilityBoundingSet", "PrivateUsers", "ProtectHostname"}


def main():
    unit, tree = Unit(sys.argv[1]), os.path.abspath(sys.argv[2])
    unknown = {name for name in unit.rows if not name.startswith("Limit")} - ELSEWHERE - HERE - set(
        Cell.BUILD) - set(Filters.BUILD)
    if unknown:
        sys.exit("shut_in: what is " + ", ".join(sorted(unknown)))
    with open(os.path.join(tree, "etc", "passwd")) as users:
        user = next(line.split(":") for line in users if line.split(":")[0] == unit.one("User"))
    uid, gid = int(user[2]), int(user[3])
    cell, filters = Cell(unit, tree, uid, gid), Filters(unit)
    call("unshare", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
    cell.build()
    for builder in (cell, filters):
        for name in builder.BUILD:
            if name in unit.rows:
                getattr(builder, name)(unit.one(name))
    cell.enter()
    limits(unit)
    if unit.one("PrivateUsers") == "yes":
        private_users(uid, gid)
    drop(unit, uid, gid)
    command = unit.command()
    filters.load()
    os.execve(command[0], command, dict(pair.split("=", 1) for pair in sys.argv[3:]))


if __name__ == "__main__":
    main()
