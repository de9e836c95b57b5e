// Command kubelet answers exec and port-forward for pods that are directories: ROOT/<namespace>/<pod>/<container> is a container's
// working directory, and ROOT/<namespace>/<pod>/ports/<port> holds the address that the pod's port leads to.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	pf "k8s.io/cri-streaming/pkg/streaming/portforward"
	rc "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const idle = 4 * time.Hour

type host struct{ root string }

func main() {
	root := flag.String("root", "", "the directory that holds the pods")
	listen := flag.String("listen", "127.0.0.1:0", "the address to serve on")
	cert := flag.String("cert", "", "PEM file of the serving certificate")
	key := flag.String("key", "", "PEM file of its key")
	clientCA := flag.String("client-ca", "", "PEM file of the authority of the API server's client certificate")
	flag.Parse()

	pem, err := os.ReadFile(*clientCA)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		log.Fatalf("%s holds no certificate", *clientCA)
	}
	server := &http.Server{
		Addr:    *listen,
		Handler: handler(host{root: *root}),
		TLSConfig: &tls.Config{
			ClientCAs:  clients,
			ClientAuth: tls.RequireAndVerifyClientCert,
			// An upgrade to SPDY or WebSocket needs HTTP/1.1.
			NextProtos: []string{"http/1.1"},
		},
	}
	log.Fatal(server.ListenAndServeTLS(*cert, *key))
}

func handler(h host) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	for _, method := range []string{"GET", "POST"} {
		mux.HandleFunc(method+" /exec/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
			options, err := rc.NewOptions(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			rc.ServeExec(w, r, h, podOf(r), "", r.PathValue("container"), r.URL.Query()["command"], options,
				idle, rc.DefaultStreamCreationTimeout, rc.SupportedStreamingProtocols)
		})
		mux.HandleFunc(method+" /portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
			options, err := pf.NewV4Options(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			pf.ServePortForward(w, r, h, podOf(r), "", options, idle, 30*time.Second, pf.SupportedProtocols)
		})
	}
	return mux
}

func podOf(r *http.Request) string { return r.PathValue("namespace") + "/" + r.PathValue("pod") }

// ExecInContainer runs a command in the container's directory; a relative program is found there.
func (h host) ExecInContainer(ctx context.Context, pod, _, container string, command []string, in io.Reader,
	out, errw io.WriteCloser, _ bool, _ <-chan rc.TerminalSize, _ time.Duration) error {
	if len(command) == 0 {
		return errors.New("no command")
	}
	directory := filepath.Join(h.root, pod, container)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = directory
	cmd.Stdout, cmd.Stderr = out, errw
	// Without it, Run would wait for a client that never closes stdin.
	cmd.WaitDelay = time.Second
	if in != nil {
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			defer pipe.Close()
			io.Copy(pipe, in)
		}()
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			code = 128 + int(status.Signal())
		}
		return utilexec.CodeExitError{Err: err, Code: code}
	}
	return err
}

// PortForward dials what the file of the port names; without a file nobody listens.
func (h host) PortForward(ctx context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	text, err := os.ReadFile(filepath.Join(h.root, pod, "ports", strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf("dial tcp4 127.0.0.1:%d: connect: connection refused", port)
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp4", strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	defer connection.Close()
	done := make(chan error, 2)
	go func() { _, err := io.Copy(connection, stream); done <- err }()
	go func() { _, err := io.Copy(stream, connection); done <- err }()
	return <-done
}
