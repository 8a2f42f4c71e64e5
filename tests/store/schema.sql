CREATE TABLE artefacts (
	evaluation_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	bytes BIGINT NOT NULL, 
	CONSTRAINT pk_artefacts PRIMARY KEY (evaluation_id, name), 
	CONSTRAINT fk_artefacts_evaluation_id FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE
);

CREATE TABLE devices (
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	torch_name TEXT NOT NULL, 
	identity TEXT NOT NULL, 
	model TEXT NOT NULL, 
	memory_bytes BIGINT NOT NULL, 
	driver TEXT NOT NULL, 
	calibration JSON NOT NULL, 
	registered DATETIME NOT NULL, 
	CONSTRAINT pk_devices PRIMARY KEY (name), 
	CONSTRAINT uq_devices_kind UNIQUE (kind, identity)
);

CREATE TABLE environments (
	digest TEXT NOT NULL, 
	facts JSON NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (digest)
);

CREATE TABLE evaluations (
	id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	method_digest TEXT NOT NULL, 
	task_digest TEXT NOT NULL, 
	environment_digest TEXT NOT NULL, 
	config JSON NOT NULL, 
	config_digest TEXT NOT NULL, 
	checkpoints JSON NOT NULL, 
	seed BIGINT NOT NULL, 
	division TEXT NOT NULL, 
	suite TEXT NOT NULL, 
	first_stages JSON NOT NULL, 
	device TEXT NOT NULL, 
	calibration JSON NOT NULL, 
	harness_version TEXT NOT NULL, 
	command TEXT NOT NULL, 
	started DATETIME NOT NULL, 
	finished DATETIME NOT NULL, 
	cost JSON NOT NULL, 
	error TEXT NOT NULL, role TEXT DEFAULT 'method' NOT NULL, training JSON DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_evaluations PRIMARY KEY (id), 
	CONSTRAINT fk_evaluations_method_digest FOREIGN KEY(method_digest) REFERENCES methods (digest), 
	CONSTRAINT fk_evaluations_task_digest FOREIGN KEY(task_digest) REFERENCES tasks (digest), 
	CONSTRAINT fk_evaluations_environment_digest FOREIGN KEY(environment_digest) REFERENCES environments (digest), 
	CONSTRAINT ck_evaluations_ck_evaluations_state CHECK (state in ('done', 'failed'))
);

CREATE TABLE harness_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT harness_schema_pkc PRIMARY KEY (version_num)
);

CREATE TABLE leases (
	resource TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid BIGINT NOT NULL, 
	process_started TEXT NOT NULL, 
	expires DOUBLE NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (resource)
);

CREATE TABLE measures (
	evaluation_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	mean DOUBLE NOT NULL, 
	per_query JSON NOT NULL, 
	CONSTRAINT pk_measures PRIMARY KEY (evaluation_id, name), 
	CONSTRAINT fk_measures_evaluation_id FOREIGN KEY(evaluation_id) REFERENCES evaluations (id) ON DELETE CASCADE
);

CREATE TABLE methods (
	digest TEXT NOT NULL, 
	implementation TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	distribution TEXT NOT NULL, 
	version TEXT NOT NULL, 
	card JSON NOT NULL, 
	CONSTRAINT pk_methods PRIMARY KEY (digest)
);

CREATE TABLE tasks (
	digest TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	name TEXT NOT NULL, 
	split TEXT NOT NULL, 
	facts JSON NOT NULL, 
	query_ids JSON NOT NULL, 
	query_texts JSON NOT NULL, 
	CONSTRAINT pk_tasks PRIMARY KEY (digest)
);

CREATE INDEX ix_evaluations_environment_digest ON evaluations (environment_digest);

CREATE INDEX ix_evaluations_method_digest ON evaluations (method_digest);

CREATE INDEX ix_evaluations_task_digest ON evaluations (task_digest);

CREATE INDEX ix_methods_name ON methods (name);

CREATE INDEX ix_tasks_fingerprint ON tasks (fingerprint);

CREATE INDEX ix_tasks_name ON tasks (name);
