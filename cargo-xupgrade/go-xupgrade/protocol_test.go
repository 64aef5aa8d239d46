package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary play the companion, so that whole processes
// can be tested without building anything.
func TestMain(m *testing.M) {
	if os.Getenv("GO_XUPGRADE_TEST_MAIN") != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func companion(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "GO_XUPGRADE_TEST_MAIN=1")
	return cmd
}

// A talk is a running companion.
type talk struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
	cmd *exec.Cmd
}

func startTalk(t *testing.T, env ...string) *talk {
	t.Helper()
	cmd := companion(t, "--protocol")
	cmd.Env = append(cmd.Env, env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &talk{t, in, bufio.NewScanner(out), cmd}
}

func (k *talk) send(line string) {
	k.t.Helper()
	if _, err := io.WriteString(k.in, line+"\n"); err != nil {
		k.t.Fatal(err)
	}
}

type line struct {
	ID     int64
	OK     bool
	Event  string
	Result json.RawMessage
	Error  *failure
}

// next reads up to the next reply.
func (k *talk) next() line {
	k.t.Helper()
	for k.out.Scan() {
		var l line
		if err := json.Unmarshal(k.out.Bytes(), &l); err != nil {
			k.t.Fatalf("not JSON: %s", k.out.Text())
		}
		if l.Event == "" {
			return l
		}
	}
	k.t.Fatal("the companion ended")
	return line{}
}

func TestHelloNamesTheProtocolAndUnknownVerbsAreSaidSo(t *testing.T) {
	k := startTalk(t)
	k.send(`{"id":1,"verb":"hello","params":{"env":{"GOFLAGS":"-mod=mod"},"unknown":1},"more":2}`)
	l := k.next()
	var hello helloResult
	if err := json.Unmarshal(l.Result, &hello); err != nil || !l.OK || hello.Protocol != 1 || !strings.HasPrefix(hello.GoVersion, "go1.") {
		t.Errorf("hello is %+v %+v", l, hello)
	}
	if len(hello.GoFlagsDropped) != 1 {
		t.Errorf("dropped flags are %v", hello.GoFlagsDropped)
	}
	k.send(`{"id":2,"verb":"dance"}`)
	if l = k.next(); l.ID != 2 || l.OK || l.Error.Code != codeUnsupported {
		t.Errorf("the answer is %+v", l)
	}
	k.send(`junk`)
	if l = k.next(); l.Error == nil || l.Error.Code != codeParse {
		t.Errorf("the answer is %+v", l)
	}
	k.in.Close()
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("at the end of stdin: %v", err)
	}
}

// hangingProxy answers nothing, and tells when it was asked and when the
// asking side went away.
func hangingProxy(t *testing.T) (url string, asked, left chan struct{}) {
	asked, left = make(chan struct{}, 100), make(chan struct{}, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked, left
}

func (w *world) line(id int, verb string, params map[string]any) string {
	params["env"] = w.env
	raw, err := json.Marshal(map[string]any{"id": id, "verb": verb, "params": params})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}

func TestCancelKillsTheCommand(t *testing.T) {
	w := newWorld(t, plainRepo)
	url, asked, left := hangingProxy(t)
	w.env["GOPROXY"] = url
	k := startTalk(t)
	k.send(w.line(7, "survey", map[string]any{"dir": w.root}))
	<-asked
	k.send(`{"id":8,"verb":"discover","params":{}}`)
	if l := k.next(); l.ID != 8 || !l.OK {
		t.Errorf("requests do not run side by side: %+v", l)
	}
	k.send(`{"id":9,"verb":"cancel","params":{"id":7}}`)
	<-left
	got := map[int64]line{}
	for range 2 {
		l := k.next()
		got[l.ID] = l
	}
	if l := got[7]; l.Error == nil || l.Error.Code != codeCancelled {
		t.Errorf("the cancelled request answers %+v", l)
	}
	if l := got[9]; string(l.Result) != `{"cancelled":true}` {
		t.Errorf("cancel answers %+v", l)
	}
}

// A go command that starts another process, as the real one starts git. The
// child holds the fifo open, so its end can be read from there.
const goWithAChild = `#!/bin/sh
if [ "$1" = env ]; then echo '{"GOVERSION":"go1.99.9"}'; exit; fi
sleep 600 >"$FIFO" 2>&1 &
wait
`

func TestCancelKillsWhatTheCommandStartedToo(t *testing.T) {
	dir := t.TempDir()
	fifo := dir + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/go", goWithAChild)
	if err := os.Chmod(dir+"/go", 0o755); err != nil {
		t.Fatal(err)
	}
	k := startTalk(t, "PATH="+dir+":/bin:/usr/bin", "FIFO="+fifo)
	k.send(`{"id":1,"verb":"compiled","params":{"dir":"` + dir + `"}}`)
	child, err := os.Open(fifo) // waits for the child
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	k.send(`{"id":2,"verb":"cancel","params":{"id":1}}`)
	ended := make(chan struct{})
	go func() {
		_, _ = io.ReadAll(child)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the child outlives the cancelled command")
	}
}

func TestTheEndOfStdinKillsTheCommandAndPutsTheEditBack(t *testing.T) {
	w := newWorld(t, editRepo)
	before := w.tree()
	url, asked, left := hangingProxy(t)
	w.env["GOPROXY"] = url
	k := startTalk(t)
	k.send(w.line(1, "edit", map[string]any{"dir": w.root, "root": w.root, "raises": []moduleVersion{{"ex.com/a", "v1.1.0"}}}))
	<-asked
	k.in.Close()
	<-left
	if l := k.next(); l.Error == nil || l.Error.Code != codeCancelled {
		t.Errorf("the answer is %+v", l)
	}
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the companion ended with %v", err)
	}
	for file, data := range w.tree() {
		if before[file] != data {
			t.Errorf("%s changed", file)
		}
	}
}

func TestOneShotPrintsTheResultOrTheErrorAndExitsSo(t *testing.T) {
	w := newWorld(t, plainRepo)
	raw, _ := json.Marshal(map[string]any{"dir": w.root, "env": w.env})
	cmd := companion(t, "--protocol", "survey")
	cmd.Stdin = bytes.NewReader(raw)
	out, err := cmd.Output()
	var res surveyResult
	if err != nil || json.Unmarshal(out, &res) != nil || res.Module != "ex.com/m" {
		t.Errorf("survey prints %s (%v)", out, err)
	}
	cmd = companion(t, "--protocol", "survey")
	cmd.Stdin = strings.NewReader(`{"dir":"/nowhere"}`)
	out, err = cmd.Output()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), `"code": "parse"`) {
		t.Errorf("a survey of nothing prints %s (%v)", out, err)
	}
}

func TestOrdinaryArgumentsAreHandedOver(t *testing.T) {
	dir := t.TempDir()
	cmd := companion(t, "plan", "--all")
	cmd.Env = append(cmd.Env, "PATH="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "cargo install cargo-xupgrade") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("without cargo-xupgrade it says %s (%v)", out, err)
	}
	write(t, dir+"/cargo-xupgrade", "#!/bin/sh\necho got \"$@\"\nexit 3\n")
	if err := os.Chmod(dir+"/cargo-xupgrade", 0o755); err != nil {
		t.Fatal(err)
	}
	cmd = companion(t, "plan", "--all")
	cmd.Env = append(cmd.Env, "PATH="+dir+":/bin:/usr/bin")
	out, _ = cmd.CombinedOutput()
	if string(out) != "got plan --all\n" || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("the hand-over printed %s", out)
	}
}

func TestConcatenatedJSONIsReadAsAStream(t *testing.T) {
	list, err := decodeStream[listedModule]([]byte("{\"Path\":\"a\"}\n{\n\t\"Path\": \"b\"\n}{\"Path\":\"c\"}\n"))
	if err != nil || len(list) != 3 || list[2].Path != "c" {
		t.Errorf("read %+v (%v)", list, err)
	}
	if _, err := decodeStream[listedModule]([]byte(`{"Path":"a"} {"Pa`)); err == nil {
		t.Error("a stream that breaks off is no error")
	}
}
