BEGIN TRANSACTION;
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
INSERT INTO "devices" VALUES('cpu','cpu','cpu','A processor','A processor',17179869184,'','{"matmul_gflops": 98.5, "copy_gb_per_s": 11.4}','2026-01-02 03:04:05.000000');
CREATE TABLE environments (
	digest TEXT NOT NULL, 
	facts JSON NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (digest)
);
INSERT INTO "environments" VALUES('c7921a378f3268ebb48a961a24e8585f25a17c7042b0cb3a2e1888f406827fc8','{"python": "CPython 3.11.7", "packages": {"numpy": "2.4.6"}}');
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
INSERT INTO "evaluations" VALUES('0123456789abcdef','done','fbd7fa4da2d69d020b36dd243881a883c89863678286c112dc6bef06d6db77cb','a71b4c84144249e8bb409d3029e36602724b261db55e1a9846945bbb6a27c501','c7921a378f3268ebb48a961a24e8585f25a17c7042b0cb3a2e1888f406827fc8','{"k1": 0.9, "b": 0.75}','cccc','{"pip:some-model": "sha256:12"}',7,'closed','beir-small','[]','cpu','{"matmul_gflops": 98.5}','0.1.0','harness run --plugin bm25 -o k1=0.9 --task nfcorpus --seed 7','2026-01-02 03:04:05.678901','2026-01-02 03:05:00.000000','{"search_seconds": 1.5, "index_bytes": 3000000000.0}','','method','{}');
INSERT INTO "evaluations" VALUES('fedc000000000000','failed','fbd7fa4da2d69d020b36dd243881a883c89863678286c112dc6bef06d6db77cb','a71b4c84144249e8bb409d3029e36602724b261db55e1a9846945bbb6a27c501','c7921a378f3268ebb48a961a24e8585f25a17c7042b0cb3a2e1888f406827fc8','{"k1": 0.9, "b": 0.75}','cccc','{"pip:some-model": "sha256:12"}',7,'closed','beir-small','[]','cpu','{"matmul_gflops": 98.5}','0.1.0','harness run --plugin bm25 -o k1=0.9 --task nfcorpus --seed 7','2026-01-02 03:04:05.678901','2026-01-02 03:05:00.000000','{}','DataError: bad','method','{}');
INSERT INTO "evaluations" VALUES('2222000000000000','done','fbd7fa4da2d69d020b36dd243881a883c89863678286c112dc6bef06d6db77cb','a71b4c84144249e8bb409d3029e36602724b261db55e1a9846945bbb6a27c501','c7921a378f3268ebb48a961a24e8585f25a17c7042b0cb3a2e1888f406827fc8','{"k1": 0.9, "b": 0.75}','cccc','{"pip:some-model": "sha256:12"}',8,'closed','beir-small','[]','cpu','{"matmul_gflops": 98.5}','0.1.0','harness run --plugin bm25 -o k1=0.9 --task nfcorpus --seed 7','2026-01-02 03:04:05.678901','2026-01-02 03:05:00.000000','{"search_seconds": 1.5, "index_bytes": 3000000000.0}','','control','{"lesson": "abcd", "student": "pip:some-model", "teachers": ["dense"], "tasks": ["nfcorpus", "scifact"], "candidates": "abababababababababababababababababababababababababababababababab", "account": {"steps": 3, "examples": 48, "seconds": 1.5}, "curves": {"train": [2.5, 1.25, 0.3333333333333333]}}');
CREATE TABLE harness_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT harness_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "harness_schema" VALUES('0002_v0.2.0');
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
INSERT INTO "measures" VALUES('0123456789abcdef','nDCG@10',0,0.3,'[0.1, 0.3, 0.5]');
INSERT INTO "measures" VALUES('0123456789abcdef','RR@10',1,3.00000000000000044408e-01,'[0.0, 0.30000000000000004, 0.6]');
INSERT INTO "measures" VALUES('0123456789abcdef','AP',2,3.33333333333333314829e-01,'[0.3333333333333333, 0.3333333333333333, 0.3333333333333333]');
INSERT INTO "measures" VALUES('2222000000000000','nDCG@10',0,0.3,'[0.1, 0.3, 0.5]');
INSERT INTO "measures" VALUES('2222000000000000','RR@10',1,3.00000000000000044408e-01,'[0.0, 0.30000000000000004, 0.6]');
INSERT INTO "measures" VALUES('2222000000000000','AP',2,3.33333333333333314829e-01,'[0.3333333333333333, 0.3333333333333333, 0.3333333333333333]');
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
INSERT INTO "methods" VALUES('fbd7fa4da2d69d020b36dd243881a883c89863678286c112dc6bef06d6db77cb','aaaa','bm25','retriever','harness-bm25','0.1.0','{"summary": "Lexical.", "knobs": [{"name": "k1", "default": 1.2}, {"name": "b", "default": 0.75}]}');
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
INSERT INTO "tasks" VALUES('a71b4c84144249e8bb409d3029e36602724b261db55e1a9846945bbb6a27c501','ffff','nfcorpus','test','{"documents": 3633, "measures": ["nDCG@10", "RR@10"]}','["q1", "q2", "q3"]','["first", "zweite ä", "第三"]');
CREATE INDEX ix_methods_name ON methods (name);
CREATE INDEX ix_tasks_fingerprint ON tasks (fingerprint);
CREATE INDEX ix_tasks_name ON tasks (name);
CREATE INDEX ix_evaluations_method_digest ON evaluations (method_digest);
CREATE INDEX ix_evaluations_task_digest ON evaluations (task_digest);
CREATE INDEX ix_evaluations_environment_digest ON evaluations (environment_digest);
COMMIT;
