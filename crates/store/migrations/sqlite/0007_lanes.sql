-- Whose turn it is: the work for one app or destination waits in its own lane, and lanes of one kind take turns.
ALTER TABLE job ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE job SET lane = kind;
DROP INDEX job_due;
CREATE INDEX job_lane ON job (lane, run_at) WHERE parked IS NULL;
