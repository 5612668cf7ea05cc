package api

import (
	"context"
	"net/http"
	"time"

	"example.org/siem/core"
)

func (s *Server) visibleSearches(w http.ResponseWriter, r *http.Request) error {
	searches, err := s.Searches.VisibleSearches(tenant(r), core.ActorFrom(r.Context()))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, searches)
}

func (s *Server) shareSearch(w http.ResponseWriter, r *http.Request) error {
	body := struct {
		Shared bool `json:"shared"`
	}{Shared: true}
	if err := s.readJSON(w, r, &body); err != nil {
		return err
	}
	if err := s.Searches.ShareSearch(tenant(r), r.PathValue("id"), core.ActorFrom(r.Context()), body.Shared); err != nil {
		return err
	}
	return noContent(w)
}

// runSearch runs a saved search; with the query parameter "last" only over what
// happened since.
func (s *Server) runSearch(w http.ResponseWriter, r *http.Request) error {
	search, err := s.Searches.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	actor := core.ActorFrom(r.Context())
	if search.Owner != actor && !search.Shared {
		return core.Errorf(core.CodeNotFound, "no such search")
	}
	q := &query{r: r}
	filter := search.Filter
	filter.Tenant = search.Tenant
	if last := q.duration("last", 0); last > 0 {
		filter.From = time.Now().Add(-last)
	}
	if q.err != nil {
		return q.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	run := s.Events.SearchEvents
	events, err := run(ctx, filter)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, events)
}
