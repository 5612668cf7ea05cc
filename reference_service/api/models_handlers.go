package api

import (
	"context"
	"net/http"
)

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) error {
	models, err := s.Scorer.Models(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, models)
}

// trainModel starts a training and does not wait for it.
func (s *Server) trainModel(w http.ResponseWriter, r *http.Request) error {
	owner := tenant(r)
	s.record(r, "model.train", "", "")
	s.background.Go(func() {
		model, err := s.Scorer.Train(context.Background(), owner)
		if err != nil {
			s.log.Error("model was not trained", "tenant", owner, "error", err)
			return
		}
		s.log.Info("model was trained", "version", model.Version, "samples", model.Samples, "accuracy", model.Accuracy)
	})
	return writeJSON(w, http.StatusAccepted, map[string]string{"status": "running"})
}

// scoreAlert scores an alert with the newest model, and keeps the score.
func (s *Server) scoreAlert(w http.ResponseWriter, r *http.Request) error {
	alert, err := s.Alerts.AlertByID(tenant(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	score, err := s.Scorer.Score(alert)
	if err != nil {
		return err
	}
	if err := s.Alerts.ScoreAlert(alert.Tenant, alert.ID, score); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]float64{"score": score})
}
