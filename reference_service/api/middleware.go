package api

import (
	"context"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"example.org/siem/core"
)

const requestIDHeader = "X-Request-ID"

// recovered answers 500 when a handler panics.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				s.log.Error("handler panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				s.writeError(w, r, core.Errorf(core.CodeInternal, "internal error"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// identified gives every request an id: the caller's, if it looks like one.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
			id = core.NewID("req")
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(core.WithRequestID(r.Context(), id)))
	})
}

// observed logs and measures requests.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		next.ServeHTTP(rec, r)
		took := time.Since(start)
		s.metrics.requests.WithLabelValues(r.Method, strconv.Itoa(rec.status)).Observe(took.Seconds())
		s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", took, "request_id", core.RequestIDFrom(r.Context()))
	})
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// limited gives a request the time the operator allows, or less when the caller
// says in X-Request-Timeout that it won't wait as long. Streams have no limit.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stream") {
			next.ServeHTTP(w, r)
			return
		}
		timeout := s.cfg.RequestTimeout
		if raw := r.Header.Get("X-Request-Timeout"); raw != "" {
			wanted, err := time.ParseDuration(raw)
			if err != nil || wanted <= 0 {
				s.writeError(w, r, core.Errorf(core.CodeInvalid, "X-Request-Timeout must be a duration like 1.5s"))
				return
			}
			timeout = min(timeout, wanted)
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// routed answers what no route takes with an error like any other.
func (s *Server) routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		said := &muted{ResponseWriter: w}
		handler.ServeHTTP(said, r)
		switch said.status {
		case http.StatusNotFound:
			s.writeError(w, r, core.Errorf(core.CodeNotFound, "there is no %s", r.URL.Path))
		case http.StatusMethodNotAllowed:
			s.writeError(w, r, core.Errorf(core.CodeMethod, "%s takes %s", r.URL.Path, w.Header().Get("Allow")))
		default:
			w.WriteHeader(said.status)
		}
	})
}

// muted lets headers through, and keeps back the rest of an answer.
type muted struct {
	http.ResponseWriter
	status int
}

func (m *muted) WriteHeader(status int)      { m.status = status }
func (m *muted) Write(p []byte) (int, error) { return len(p), nil }

// authenticated lets a request through whose token is good and whose user holds
// a permission; with none named, any user does.
func (s *Server) authenticated(permission core.Permission, next handlerFunc) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			return core.Errorf(core.CodeUnauthorized, "a bearer token is required")
		}
		principal, err := s.principal(token)
		if err != nil {
			return err
		}
		if permission != "" && !principal.Can(permission) {
			return core.Errorf(core.CodeForbidden, "%s is required", permission)
		}
		return next(w, r.WithContext(core.WithPrincipal(r.Context(), principal)))
	}
}

// principal finds out who a token belongs to, and whether they are still logged in.
func (s *Server) principal(token string) (*core.Principal, error) {
	if strings.HasPrefix(token, keyPrefix) {
		return s.keyPrincipal(token)
	}
	c, err := s.parse(token)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, err := s.Sessions.SessionByID(ctx, c.SessionID)
	if core.ErrorCode(err) == core.CodeNotFound || (err == nil && !session.Active(time.Now())) {
		return nil, core.Errorf(core.CodeUnauthorized, "the session has ended")
	}
	if err != nil {
		return nil, err
	}
	roles, permissions, err := s.Roles.PermissionsOf(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	p := &core.Principal{UserID: c.Subject, Username: c.Username, Tenant: c.Tenant, SessionID: c.SessionID,
		Roles: roles, Permissions: make(map[core.Permission]bool, len(permissions))}
	for _, name := range permissions {
		p.Permissions[name] = true
	}
	return p, nil
}

// tenant returns the tenant a request acts in.
func tenant(r *http.Request) string { return core.TenantFrom(r.Context()) }

// record writes to the audit log. What it can't write it logs: the work that it
// reports on is done by then.
func (s *Server) record(r *http.Request, action, target, detail string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	entry := &core.AuditEntry{Action: action, Target: target, Detail: detail}
	if err := s.Audit.Record(ctx, entry); err != nil {
		s.log.Error("audit entry was lost", "action", action, "target", target, "error", err)
	}
}
