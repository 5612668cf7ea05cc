package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.org/siem/core"
)

func (s *Server) diffPack(w http.ResponseWriter, r *http.Request) error {
	pack, err := s.Packs.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	change, err := s.Packer.Diff(pack)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, change)
}

func (s *Server) installPack(w http.ResponseWriter, r *http.Request) error {
	pack, err := s.Packs.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	change, err := s.Packer.Install(ctx, pack)
	if err != nil {
		return err
	}
	s.record(r, "pack.install", pack.ID, change.Version)
	return writeJSON(w, http.StatusOK, change)
}

// uninstallPack removes a pack together with its rules.
func (s *Server) uninstallPack(w http.ResponseWriter, r *http.Request) error {
	n, err := s.Packs.RemovePack(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.record(r, "pack.uninstall", r.PathValue("id"), fmt.Sprintf("%d rules", n))
	return writeJSON(w, http.StatusOK, map[string]int{"removed": n})
}

func (s *Server) outdatedPacks(w http.ResponseWriter, r *http.Request) error {
	outdated, err := s.Packer.Outdated(context.Background(), tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, outdated)
}

// pullSource fetches what is new at a source now.
func (s *Server) pullSource(w http.ResponseWriter, r *http.Request) error {
	source, err := s.Sources.Find(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := s.Puller.Pull(source)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]int{"events": n})
}

// queueExport starts an export that is too large to wait for.
func (s *Server) queueExport(w http.ResponseWriter, r *http.Request) error {
	job := &core.ExportJob{Format: "ndjson"}
	if err := s.readJSON(w, r, job); err != nil {
		return err
	}
	if err := job.Validate(); err != nil {
		return err
	}
	job.Tenant, job.Owner, job.Written = tenant(r), core.ActorFrom(r.Context()), 0
	job.Filter.Tenant = job.Tenant
	if err := s.Exporter.Queue(job); err != nil {
		return err
	}
	s.record(r, "events.export", job.ID, job.Format)
	return writeJSON(w, http.StatusAccepted, job)
}

func (s *Server) listExports(w http.ResponseWriter, r *http.Request) error {
	jobs, err := s.Exports.JobsOf(context.Background(), tenant(r))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, jobs)
}

func (s *Server) getExport(w http.ResponseWriter, r *http.Request) error {
	job, err := s.Exports.JobByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, job)
}

func (s *Server) readExport(w http.ResponseWriter, r *http.Request) error {
	job, err := s.Exports.JobByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	if job.Status != "done" {
		return core.Errorf(core.CodeConflict, "the export is %s", job.Status)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	return s.Exporter.Read(job, w)
}

func (s *Server) cancelExport(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Exports.CancelJob(ctx, tenant(r), r.PathValue("id")); err != nil {
		return err
	}
	s.Exporter.Cancel(r.PathValue("id"))
	return noContent(w)
}

// importAssets takes lines of host,owner,criticality.
func (s *Server) importAssets(w http.ResponseWriter, r *http.Request) error {
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	records, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil {
		return core.Errorf(core.CodeInvalid, "the body is not CSV: %v", err)
	}
	assets, hosts := make([]*core.Asset, len(records)), make([]string, len(records))
	for i, record := range records {
		criticality, err := strconv.Atoi(record[len(record)-1])
		if len(record) != 3 || err != nil || criticality < 0 || criticality > 4 || record[0] == "" {
			return core.Errorf(core.CodeInvalid, "line %d is not host,owner,criticality", i+1)
		}
		assets[i], hosts[i] = &core.Asset{Host: record[0], Owner: record[1], Criticality: criticality}, record[0]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := s.Inventory.ImportAssets(ctx, tenant(r), assets)
	if err != nil {
		return err
	}
	if result.Unknown, err = s.Inventory.UnknownHosts(tenant(r), hosts); err != nil {
		return err
	}
	s.record(r, "assets.import", "", strconv.Itoa(result.Stored))
	return writeJSON(w, http.StatusOK, result)
}
