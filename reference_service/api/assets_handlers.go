package api

import (
	"context"
	"net/http"
	"time"

	"example.org/siem/core"
)

func (s *Server) listAssets(w http.ResponseWriter, r *http.Request) error {
	q := &query{r: r}
	since := q.moment("silent_since")
	if q.err != nil {
		return q.err
	}
	assets, err := s.Assets.ListAssets(tenant(r), since)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, assets)
}

func (s *Server) getAsset(w http.ResponseWriter, r *http.Request) error {
	asset, err := s.Assets.AssetByHost(tenant(r), r.PathValue("host"))
	if err != nil {
		return err
	}
	filter := core.EventFilter{Tenant: asset.Tenant, Host: asset.Host}
	kinds, err := s.Events.TopValues(context.Background(), filter, "kind", 10)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"asset": asset, "kinds": kinds})
}

func (s *Server) saveAsset(w http.ResponseWriter, r *http.Request) error {
	asset := &core.Asset{}
	if err := s.readJSON(w, r, asset); err != nil {
		return err
	}
	if asset.Criticality < 0 || asset.Criticality > 4 {
		return core.Errorf(core.CodeInvalid, "criticality is 0 to 4")
	}
	asset.Tenant, asset.Host = tenant(r), r.PathValue("host")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Assets.SaveAsset(ctx, asset); err != nil {
		return err
	}
	s.record(r, "asset.save", asset.Host, asset.Owner)
	return noContent(w)
}

func (s *Server) forgetAsset(w http.ResponseWriter, r *http.Request) error {
	if err := s.Assets.ForgetAsset(tenant(r), r.PathValue("host")); err != nil {
		return err
	}
	s.record(r, "asset.forget", r.PathValue("host"), "")
	return noContent(w)
}
