// Conformance starts a plugin with HashiCorp's own client, as a host does: with automatic mutual
// TLS and without, a health check, a call, and an end by Shutdown. Then it starts one for debugging
// and attaches to it, twice. It exits with 1 and says why when anything of it fails.
//
// Usage: conformance PATH-OF-THE-EXAMPLE-PLUGIN
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// probe is a plugin without an interface: only the connection matters.
type probe struct {
	plugin.NetRPCUnsupportedPlugin
}

func (probe) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this program is a host")
}

func (probe) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return connection, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance PATH-OF-THE-EXAMPLE-PLUGIN")
		os.Exit(2)
	}
	for _, autoMTLS := range []bool{true, false} {
		if err := run(os.Args[1], autoMTLS); err != nil {
			fmt.Fprintf(os.Stderr, "automatic mutual TLS %t: %v\n", autoMTLS, err)
			os.Exit(1)
		}
		fmt.Printf("automatic mutual TLS %t: ok\n", autoMTLS)
	}
	if err := attach(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "attached: %v\n", err)
		os.Exit(1)
	}
	fmt.Println("attached: ok")
}

var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  6,
	MagicCookieKey:   "EXAMPLE_COOKIE",
	MagicCookieValue: "a-cookie",
}

// attach does what a host does that was given TF_REATTACH_PROVIDERS or its like.
func attach(path string) error {
	command := exec.Command(path, "--debug")
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	defer command.Process.Kill()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the plugin printed no address: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(line), "|")
	if len(fields) != 3 || fields[0] != "unix" {
		return fmt.Errorf("not the address of a unix socket: %q", line)
	}
	// The second time shows that the end of one host is not the end of the plugin.
	for range 2 {
		var log bytes.Buffer
		client := plugin.NewClient(&plugin.ClientConfig{
			HandshakeConfig: handshake,
			Plugins:         plugin.PluginSet{"probe": probe{}},
			Reattach: &plugin.ReattachConfig{
				Protocol:        plugin.ProtocolGRPC,
				ProtocolVersion: 6,
				Addr:            &net.UnixAddr{Net: fields[0], Name: fields[1]},
				Pid:             command.Process.Pid,
				Test:            true,
			},
			AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
			Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &log}),
		})
		err := use(client)
		client.Kill()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, log.String())
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return command.Wait()
}

func run(path string, autoMTLS bool) error {
	var log bytes.Buffer
	command := exec.Command(path)
	command.Env = append(os.Environ(), "EXAMPLE_LOG=info")
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{"probe": probe{}},
		Cmd:              command,
		AutoMTLS:         autoMTLS,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger: hclog.New(&hclog.LoggerOptions{
			Level:      hclog.Trace,
			Output:     &log,
			JSONFormat: true,
		}),
	})
	defer client.Kill()

	if err := use(client); err != nil {
		return fmt.Errorf("%w\n%s", err, log.String())
	}
	client.Kill()
	if !client.Exited() {
		return fmt.Errorf("the plugin still runs after Kill\n%s", log.String())
	}
	// Kill waits for two seconds, says so, and only then kills.
	if strings.Contains(log.String(), "failed to exit gracefully") {
		return fmt.Errorf("the plugin did not end by itself\n%s", log.String())
	}
	// A log line that this client cannot read becomes a message of its own, with the JSON in it.
	if !strings.Contains(log.String(), `"@message":"called"`) {
		return fmt.Errorf("the plugin's log line did not arrive as one\n%s", log.String())
	}
	return nil
}

func use(client *plugin.Client) error {
	protocol, err := client.Client()
	if err != nil {
		return fmt.Errorf("cannot connect: %w", err)
	}
	if err := protocol.Ping(); err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	raw, err := protocol.Dispense("probe")
	if err != nil {
		return fmt.Errorf("cannot dispense: %w", err)
	}
	connection, ok := raw.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("dispensed a %T", raw)
	}
	var number wrapperspb.StringValue
	if err := connection.Invoke(context.Background(), "/example.Probe/Connection", &emptypb.Empty{}, &number); err != nil {
		return fmt.Errorf("cannot call: %w", err)
	}
	if number.GetValue() == "" {
		return errors.New("the answer names no connection")
	}
	return nil
}
