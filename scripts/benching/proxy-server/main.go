// Proxy stands between the tools under measurement and the registries: it
// answers from memory, each answer a fixed time late, and counts requests, so
// that neither the network nor the registries' mood decides a measurement.
//
// It speaks HTTP/1.1 and HTTP/2 over TLS on a loopback port, with a
// certificate of its own (written to -certificate), as registries do. Index
// files carry an ETag and are compressed on demand, as the registry of crates
// does; a conditional request gets its 304. What is not in memory is fetched
// from the real registry, which the caller makes happen before measuring.
//
// Usage: proxy -index URL -modules URL -latency 30ms -certificate FILE -cache DIR
// It prints its address on one line. /stats tells the requests since /reset.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An answer is what a registry said once; it never changes during a measurement.
type answer struct {
	status int
	body   []byte
	packed []byte
	etag   string
}

type proxy struct {
	index, downloads, modules, cache string
	latency                          time.Duration
	client                           *http.Client
	mu                               sync.Mutex
	known                            map[string]*answer
	requests, unchanged, bytes       atomic.Int64
}

func main() {
	p := &proxy{known: map[string]*answer{}, client: &http.Client{Timeout: 2 * time.Minute}}
	certificate := ""
	flag.StringVar(&p.index, "index", "", "the sparse index of crates, or a folder like one; with a slash at the end")
	flag.StringVar(&p.modules, "modules", "", "the module proxy")
	flag.StringVar(&p.cache, "cache", "", "a folder to keep answers in between measurements")
	flag.StringVar(&certificate, "certificate", "", "where to write the certificate to trust")
	flag.DurationVar(&p.latency, "latency", 30*time.Millisecond, "how late each answer is")
	flag.Parse()
	pair, err := identity(certificate)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("https://%s\n", listener.Addr())
	server := &http.Server{Handler: p, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		// The caller holds stdin; when it is gone, so is the proxy.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(server.ServeTLS(listener, "", ""))
}

// identity makes a certificate for the loopback address, signed by an
// authority of its own, which is written to file. Both last a day.
func identity(file string) (tls.Certificate, error) {
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench-plan"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	own := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "loopback"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.CreateCertificate(rand.Reader, own, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
	return tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key}, os.WriteFile(file, text, 0o644)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/reset":
		p.requests.Store(0)
		p.unchanged.Store(0)
		p.bytes.Store(0)
		return
	case "/stats":
		_ = json.NewEncoder(w).Encode(map[string]int64{
			"requests": p.requests.Load(), "unchanged": p.unchanged.Load(), "bytes": p.bytes.Load()})
		return
	}
	p.requests.Add(1)
	begin := time.Now()
	a, err := p.answer(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	time.Sleep(p.latency - time.Since(begin))
	p.send(w, r, a)
}

func (p *proxy) send(w http.ResponseWriter, r *http.Request, a *answer) {
	if a.etag != "" {
		w.Header().Set("ETag", a.etag)
		if r.Header.Get("If-None-Match") == a.etag {
			p.unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := a.body
	if a.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = a.packed
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(a.status)
	n, _ := w.Write(body)
	p.bytes.Add(int64(n))
}

// answer finds what the registry says to a path, in memory, on disk, or there.
func (p *proxy) answer(r *http.Request) (*answer, error) {
	if r.URL.Path == "/index/config.json" {
		own := "https://" + r.Host + "/crates"
		return &answer{status: 200, body: []byte(`{"dl": "` + own + `", "api": null}`)}, nil
	}
	address, err := p.address(r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	a := p.known[address]
	p.mu.Unlock()
	if a != nil {
		return a, nil
	}
	status, body, err := p.fetch(address)
	if err != nil {
		return nil, err
	}
	a = &answer{status: status, body: body}
	if strings.HasPrefix(r.URL.Path, "/index/") && status == 200 {
		sum := sha256.Sum256(body)
		a.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		a.packed = pack(body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[address] = a
	return a, nil
}

func (p *proxy) address(path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "/index/"); ok {
		return p.index + rest, nil
	}
	if rest, ok := strings.CutPrefix(path, "/modules/"); ok {
		return strings.TrimSuffix(p.modules, "/") + "/" + rest, nil
	}
	if rest, ok := strings.CutPrefix(path, "/crates/"); ok {
		dl, err := p.dl()
		return dl + "/" + rest, err
	}
	return "", fmt.Errorf("there is nothing at %s", path)
}

// dl asks the index once where the crates' files are. Only the form without
// markers is understood.
func (p *proxy) dl() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.downloads == "" {
		_, body, err := p.fetch(p.index + "config.json")
		if err != nil {
			return "", err
		}
		var config struct{ Dl string }
		if err := json.Unmarshal(body, &config); err != nil || strings.Contains(config.Dl, "{") {
			return "", fmt.Errorf("config.json of the index: cannot use %q", body)
		}
		p.downloads = config.Dl
	}
	return p.downloads, nil
}

// fetch reads an answer from the cache folder, or gets it and keeps it there.
// The first line of a kept file is the status.
func (p *proxy) fetch(address string) (int, []byte, error) {
	if !strings.Contains(address, "://") {
		body, err := os.ReadFile(address)
		if err != nil {
			return http.StatusNotFound, nil, nil
		}
		return http.StatusOK, body, nil
	}
	sum := sha256.Sum256([]byte(address))
	file := filepath.Join(p.cache, hex.EncodeToString(sum[:]))
	var status int
	if kept, err := os.ReadFile(file); err == nil {
		head, body, _ := bytes.Cut(kept, []byte("\n"))
		if _, err := fmt.Sscan(string(head), &status); err == nil {
			return status, body, nil
		}
	}
	response, err := p.client.Get(address)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err
	}
	if status = response.StatusCode; status == 200 || status == 404 || status == 410 || status == 403 {
		_ = os.WriteFile(file, append([]byte(fmt.Sprintln(status)), body...), 0o644)
	}
	return status, body, nil
}

func pack(body []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(body)
	_ = w.Close()
	return packed.Bytes()
}
