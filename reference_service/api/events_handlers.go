package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"example.org/siem/core"
)

const maxBatch = 10_000

// ingest takes one event or an array of them.
func (s *Server) ingest(w http.ResponseWriter, r *http.Request) error {
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	events, err := decodeEvents(body)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	for i, e := range events {
		if err := e.Validate(); err != nil {
			return core.Errorf(core.CodeInvalid, "event %d: %s", i, core.ErrorMessage(err))
		}
		e.ID, e.Tenant = core.NewID("event"), tenant(r)
		if e.At.IsZero() {
			e.At = now
		}
	}
	if err := s.charge(tenant(r), len(events)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.Events.InsertEvents(ctx, events); err != nil {
		return err
	}
	s.metrics.events.Add(float64(len(events)))
	if err := s.Detector.Submit(context.Background(), events); err != nil {
		s.log.Warn("events were stored but not evaluated", "events", len(events), "error", err)
	}
	return writeJSON(w, http.StatusAccepted, map[string]int{"accepted": len(events)})
}

// ingestLines takes syslog lines, or one JSON object a line, and says how many
// it did not understand.
func (s *Server) ingestLines(w http.ResponseWriter, r *http.Request) error {
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	var events []*core.Event
	refused := 0
	for line := range strings.Lines(string(body)) {
		e, err := s.ParseLine(line, now)
		if err != nil {
			refused++
			continue
		}
		e.ID, e.Tenant = core.NewID("event"), tenant(r)
		events = append(events, e)
	}
	if len(events) == 0 {
		return core.Errorf(core.CodeInvalid, "none of the %d lines was understood", refused)
	}
	if err := s.charge(tenant(r), len(events)); err != nil {
		return err
	}
	for batch := range slices.Chunk(events, 1000) {
		if err := s.Events.InsertEvents(context.Background(), batch); err != nil {
			return err
		}
		if err := s.Detector.Submit(r.Context(), batch); err != nil {
			return err
		}
	}
	s.metrics.events.Add(float64(len(events)))
	return writeJSON(w, http.StatusAccepted, map[string]int{"accepted": len(events), "refused": refused})
}

func decodeEvents(body []byte) ([]*core.Event, error) {
	var events []*core.Event
	var err error
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '[' {
		err = json.Unmarshal(body, &events)
	} else {
		events = []*core.Event{{}}
		err = json.Unmarshal(body, events[0])
	}
	if err != nil {
		return nil, core.Errorf(core.CodeInvalid, "the body is not the JSON expected: %v", err)
	}
	if len(events) == 0 || len(events) > maxBatch {
		return nil, core.Errorf(core.CodeInvalid, "a batch has 1 to %d events", maxBatch)
	}
	if i := slices.Index(events, nil); i >= 0 {
		return nil, core.Errorf(core.CodeInvalid, "event %d is null", i)
	}
	return events, nil
}

// eventFilter reads a filter from a URL.
func eventFilter(r *http.Request) (core.EventFilter, *query) {
	q := &query{r: r}
	return core.EventFilter{
		Tenant: tenant(r), From: q.moment("from"), To: q.moment("to"), Kind: q.text("kind"), Host: q.text("host"),
		User: q.text("user"), Source: q.text("source"), Text: q.text("text"), Min: core.Severity(q.number("min_severity", 0)),
		Limit: q.number("limit", 100), Offset: q.number("offset", 0),
	}, q
}

func (s *Server) searchEvents(w http.ResponseWriter, r *http.Request) error {
	filter, q := eventFilter(r)
	if q.err != nil {
		return q.err
	}
	release, err := s.searching(filter.Tenant)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	events, err := s.Events.SearchEvents(ctx, filter)
	if err != nil {
		return err
	}
	total, err := s.Events.CountEvents(ctx, filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"events": events, "total": total})
}

func (s *Server) getEvent(w http.ResponseWriter, r *http.Request) error {
	event, err := s.Events.Event(r.Context(), tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, event)
}

// exportEvents writes one event a line, as they come from the database.
func (s *Server) exportEvents(w http.ResponseWriter, r *http.Request) error {
	filter, q := eventFilter(r)
	if q.err != nil {
		return q.err
	}
	s.record(r, "events.export", "", r.URL.RawQuery)
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	n := 0
	err := s.Events.EachEvent(context.Background(), filter, func(e *core.Event) error {
		n++
		return out.Encode(e)
	})
	if err == nil {
		return nil
	}
	if n == 0 {
		return err
	}
	s.log.Warn("export broke off", "events", n, "error", err)
	panic(http.ErrAbortHandler) // the status has gone out: a cut connection is the only sign left
}

func (s *Server) histogram(w http.ResponseWriter, r *http.Request) error {
	filter, q := eventFilter(r)
	step := q.duration("step", time.Hour)
	if q.err != nil {
		return q.err
	}
	buckets, err := s.Events.Histogram(context.Background(), filter, step)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, buckets)
}

func (s *Server) topValues(w http.ResponseWriter, r *http.Request) error {
	filter, q := eventFilter(r)
	n := q.number("n", 10)
	if q.err != nil {
		return q.err
	}
	top, err := s.Events.TopValues(r.Context(), filter, q.text("field"), n)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, top)
}

func (s *Server) paths(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	find := core.PathQuery{Tenant: tenant(r), From: q.text("from"), Depth: q.number("depth", 4), Limit: q.number("limit", 100)}
	if q.err != nil {
		return q.err
	}
	if find.From == "" || find.Depth < 1 || find.Depth > 16 {
		return core.Errorf(core.CodeInvalid, "from is required and depth is 1 to 16")
	}
	paths, err := s.Analyst.Paths(find)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, paths)
}

func (s *Server) sequences(w http.ResponseWriter, r *http.Request) error {
	find := core.SequenceQuery{Within: "10m"}
	if err := s.readJSON(w, r, &find); err != nil {
		return err
	}
	if err := find.Validate(); err != nil {
		return err
	}
	find.Tenant = tenant(r)
	matches, err := s.Analyst.Sequences(find)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, matches)
}

// dashboard asks for several things at once; the first failure ends the others.
func (s *Server) dashboard(w http.ResponseWriter, r *http.Request) error {
	since := time.Now().Add(-24 * time.Hour)
	filter := core.EventFilter{Tenant: tenant(r), From: since}
	var board struct {
		Events    int                `json:"events"`
		Histogram []core.Bucket      `json:"histogram"`
		Hosts     []core.TopValue    `json:"hosts"`
		Alerts    *core.AlertSummary `json:"alerts"`
	}
	group, ctx := errgroup.WithContext(context.Background())
	group.Go(func() (err error) {
		board.Events, err = s.Events.CountEvents(ctx, filter)
		return err
	})
	group.Go(func() (err error) {
		board.Histogram, err = s.Events.Histogram(ctx, filter, time.Hour)
		return err
	})
	group.Go(func() (err error) {
		board.Hosts, err = s.Events.TopValues(ctx, filter, "host", 10)
		return err
	})
	group.Go(func() (err error) {
		board.Alerts, err = s.Alerts.SummarizeAlerts(filter.Tenant, since)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, board)
}

// followEvents sends the events that a filter selects as they come in, as
// server-sent events, until the client or the server goes.
func (s *Server) followEvents(w http.ResponseWriter, r *http.Request) error {
	filter, q := eventFilter(r)
	if q.err != nil {
		return q.err
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	filter.From, filter.Limit, filter.Offset = time.Now().UTC(), 500, 0
	seen := map[string]bool{}
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.ctx.Done():
			return nil
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		events, err := s.Events.SearchEvents(ctx, filter)
		cancel()
		if err != nil {
			s.log.Warn("events can't be followed", "error", err)
			return nil
		}
		for _, e := range slices.Backward(events) {
			if seen[e.ID] {
				continue
			}
			seen[e.ID] = true
			data, err := json.Marshal(e)
			if err != nil {
				return nil
			}
			_, _ = w.Write(append(append([]byte("data: "), data...), '\n', '\n'))
		}
	}
}
