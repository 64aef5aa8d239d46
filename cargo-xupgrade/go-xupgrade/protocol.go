package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// protocolVersion is the number that hello answers with. It rises only when a
// field changes its meaning; new fields are simply added, and each side
// ignores the fields that it does not know.
const protocolVersion = 1

// A request is one line of stdin.
type request struct {
	ID     int64           `json:"id"`
	Verb   string          `json:"verb"`
	Params json.RawMessage `json:"params"`
}

// A reply is the one line of stdout that ends a request.
type reply struct {
	ID     int64    `json:"id"`
	OK     bool     `json:"ok"`
	Result any      `json:"result,omitempty"`
	Error  *failure `json:"error,omitempty"`
}

// An event tells how far a request has come. Losing one loses nothing.
type event struct {
	ID    int64  `json:"id"`
	Event string `json:"event"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	What  string `json:"what"`
}

// commonParams are understood by every verb.
type commonParams struct {
	// Env is laid over the environment that hello set, for this request.
	Env map[string]string `json:"env"`
	// TimeoutS is the limit of one network look-up in seconds.
	TimeoutS float64 `json:"timeout_s"`
	// Store is a folder for copies of what the proxies publish.
	Store string `json:"store"`
}

// errCancelled is the cause of a context that a cancel request ended.
var errCancelled = errors.New("cancelled by the caller")

// A server runs requests, each in a goroutine, until stdin ends.
type server struct {
	home *home

	writing sync.Mutex // one reply or event at a time
	out     *json.Encoder

	mu      sync.Mutex
	running map[int64]context.CancelCauseFunc
}

// serve answers requests until in ends or ctx is done. Then it ends the
// commands that still run, waits until their edits are put back, and returns
// the exit code.
func serve(ctx context.Context, in io.Reader, out io.Writer) int {
	s := &server{home: newHome(), out: json.NewEncoder(out), running: map[int64]context.CancelCauseFunc{}}
	s.out.SetEscapeHTML(false)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	lines := make(chan []byte)
	go readLines(in, lines)
	var all sync.WaitGroup
	for open := true; open; {
		select {
		case line, more := <-lines:
			if open = more; more {
				s.accept(ctx, line, &all)
			}
		case <-ctx.Done():
			open = false
		}
	}
	stop(errCancelled)
	all.Wait()
	return 0
}

// readLines sends each line of in that is not empty, then closes the channel.
// A line has no length limit: the parameters of one edit may be long.
func readLines(in io.Reader, lines chan<- []byte) {
	defer close(lines)
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 1 {
			lines <- line
		}
		if err != nil {
			return
		}
	}
}

// accept starts one request. Cancel is answered here, in the order of the
// lines, so that it finds every request that was sent before it.
func (s *server) accept(ctx context.Context, line []byte, all *sync.WaitGroup) {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		s.finish(req.ID, nil, &failure{Code: codeParse, Message: "reading a request line: " + err.Error()})
		return
	}
	if req.Verb == "cancel" {
		s.finish(req.ID, s.cancel(req.Params), nil)
		return
	}
	ctx, stop := context.WithCancelCause(ctx)
	s.mu.Lock()
	s.running[req.ID] = stop
	s.mu.Unlock()
	all.Add(1)
	go func() {
		defer all.Done()
		defer stop(nil)
		result, err := s.home.do(ctx, req, func(done, total int, what string) {
			s.write(event{ID: req.ID, Event: "progress", Done: done, Total: total, What: what})
		})
		s.mu.Lock()
		delete(s.running, req.ID)
		s.mu.Unlock()
		s.finish(req.ID, result, err)
	}()
}

// cancel ends the request that params name and says whether it was running.
func (s *server) cancel(params json.RawMessage) map[string]bool {
	var target struct {
		ID int64 `json:"id"`
	}
	if json.Unmarshal(params, &target) != nil {
		return map[string]bool{"cancelled": false}
	}
	s.mu.Lock()
	stop, found := s.running[target.ID]
	s.mu.Unlock()
	if found {
		stop(errCancelled)
	}
	return map[string]bool{"cancelled": found}
}

func (s *server) finish(id int64, result any, err error) {
	if err != nil {
		s.write(reply{ID: id, Error: asFailure(err)})
		return
	}
	s.write(reply{ID: id, OK: true, Result: result})
}

// write sends one line. When nobody reads any more, stdin ends as well, so a
// failed write needs no handling of its own.
func (s *server) write(line any) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.out.Encode(line); err != nil {
		fmt.Fprintf(os.Stderr, "go-xupgrade: writing a reply: %v\n", err)
	}
}

// serveOnce runs one verb with the parameters on in and prints its result, or
// its error with exit code 1. It is what tests and people who debug use.
func serveOnce(ctx context.Context, verb string, in io.Reader, out io.Writer) int {
	params, err := io.ReadAll(in)
	if err == nil && len(params) == 0 {
		params = []byte("{}")
	}
	var result any
	if err == nil {
		result, err = newHome().do(ctx, request{Verb: verb, Params: params}, func(int, int, string) {})
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err != nil {
		result = map[string]any{"error": asFailure(err)}
	}
	if wrote := enc.Encode(result); wrote != nil || err != nil {
		return 1
	}
	return 0
}

// do runs one request to its end.
func (h *home) do(ctx context.Context, req request, report func(done, total int, what string)) (any, error) {
	var common commonParams
	if err := decode(req.Params, &common); err != nil {
		return nil, err
	}
	j := h.job(common, report)
	switch req.Verb {
	case "hello":
		h.remember(common)
		return answer(ctx, req.Params, j.hello)
	case "discover":
		return answer(ctx, req.Params, j.discover)
	case "survey":
		return answer(ctx, req.Params, j.survey)
	case "probe":
		return answer(ctx, req.Params, j.probe)
	case "edit":
		return answer(ctx, req.Params, j.edit)
	case "fetch":
		return answer(ctx, req.Params, j.fetch)
	case "variants":
		return answer(ctx, req.Params, j.variants)
	case "worksums":
		return answer(ctx, req.Params, j.workSums)
	case "compiled":
		return answer(ctx, req.Params, j.compiled)
	}
	return nil, &failure{Code: codeUnsupported, Message: fmt.Sprintf("this companion has no verb %q", req.Verb)}
}

// answer decodes the parameters of one verb and runs it.
func answer[P, R any](ctx context.Context, raw json.RawMessage, verb func(context.Context, P) (R, error)) (any, error) {
	var params P
	if err := decode(raw, &params); err != nil {
		return nil, err
	}
	result, err := verb(ctx, params)
	if err != nil {
		return nil, err
	}
	return result, nil
}

func decode(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &failure{Code: codeParse, Message: "reading the parameters: " + err.Error()}
	}
	return nil
}

// seconds turns a number of seconds into a duration, or fallback for none.
func seconds(n float64, fallback time.Duration) time.Duration {
	if n <= 0 {
		return fallback
	}
	return time.Duration(n * float64(time.Second))
}
