package ingest

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	maxLine = 64 << 10
	idle    = 5 * time.Minute
)

// Server listens for lines on TCP and for datagrams on UDP.
type Server struct {
	pipeline *Pipeline
	log      *slog.Logger
	tcp      net.Listener
	udp      net.PacketConn
	serving  sync.WaitGroup
	ctx      context.Context
	cancel   context.CancelFunc
}

// Listen opens what has an address and starts to serve it.
func Listen(tcp, udp string, pipeline *Pipeline, log *slog.Logger) (*Server, error) {
	s := &Server{pipeline: pipeline, log: log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if tcp != "" {
		if s.tcp, err = net.Listen("tcp", tcp); err != nil {
			return nil, err
		}
		s.serving.Go(s.accept)
	}
	if udp != "" {
		if s.udp, err = net.ListenPacket("udp", udp); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.serving.Go(s.receive)
	}
	return s, nil
}

// Addrs returns where the server listens, for those who asked for any port.
func (s *Server) Addrs() (tcp, udp string) {
	if s.tcp != nil {
		tcp = s.tcp.Addr().String()
	}
	if s.udp != nil {
		udp = s.udp.LocalAddr().String()
	}
	return tcp, udp
}

// Close ends all connections and waits for what was read to be queued.
func (s *Server) Close() error {
	s.cancel()
	var errs []error
	if s.tcp != nil {
		errs = append(errs, s.tcp.Close())
	}
	if s.udp != nil {
		errs = append(errs, s.udp.Close())
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

func (s *Server) accept() {
	for {
		conn, err := s.tcp.Accept()
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Warn("connection was not accepted", "error", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.serving.Go(func() { s.read(conn) })
	}
}

func (s *Server) read(conn net.Conn) {
	stop := context.AfterFunc(s.ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 4096), maxLine)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(idle))
		if !lines.Scan() {
			return
		}
		s.take(lines.Text(), conn.RemoteAddr())
	}
}

func (s *Server) receive() {
	buffer := make([]byte, maxLine)
	for {
		n, from, err := s.udp.ReadFrom(buffer)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Warn("datagram was not read", "error", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.take(string(buffer[:n]), from)
	}
}

func (s *Server) take(line string, from net.Addr) {
	e, err := ParseLine(line, time.Now().UTC())
	if err != nil {
		s.log.Debug("line was not understood", "from", from, "error", err)
		return
	}
	if e.Host == "" {
		e.Host, _, _ = net.SplitHostPort(from.String())
	}
	s.pipeline.Put(e)
}
