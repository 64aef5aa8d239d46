package main

import (
	"os/exec"
	"syscall"
)

// ownGroup gives cmd a process group of its own, kills that group as a whole
// when its context ends, and has the kernel kill the command when this
// process is killed, so that nothing outlives us.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
