-- One row for each segment file that has been read.
CREATE TABLE segments (
    id INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, first INTEGER, last INTEGER,
    size INTEGER, records INTEGER, undecodable INTEGER, UNIQUE (topic, partition, first, last)
);

-- The last outcome of each chunk of each version and generation, and the place of its line.
CREATE TABLE outcomes (
    document TEXT, version INTEGER, generation INTEGER, position INTEGER, attempt INTEGER, record_id TEXT, status TEXT,
    pairs INTEGER, rejected INTEGER, segment INTEGER, start INTEGER, length INTEGER,
    PRIMARY KEY (document, version, generation, position)
) WITHOUT ROWID;
CREATE INDEX outcomes_by_segment ON outcomes (segment);

-- Number of chunks that have an outcome, and of outcomes that a later attempt has replaced. Without this table, counting
-- at each segment would take quadratic time for a large document.
CREATE TABLE answered (
    document TEXT, version INTEGER, generation INTEGER, chunks INTEGER, replaced INTEGER,
    PRIMARY KEY (document, version, generation)
) WITHOUT ROWID;
CREATE TRIGGER answered_first AFTER INSERT ON outcomes BEGIN
    INSERT INTO answered VALUES (new.document, new.version, new.generation, 1, 0)
        ON CONFLICT DO UPDATE SET chunks = chunks + 1;
END;
CREATE TRIGGER answered_again AFTER UPDATE OF attempt ON outcomes WHEN new.attempt > old.attempt BEGIN
    UPDATE answered SET replaced = replaced + 1
        WHERE document = new.document AND version = new.version AND generation = new.generation;
END;

-- Newest entry of qa.files for each document. waiting: 1 while the entry promises a version that is not complete.
CREATE TABLE ledger (document TEXT PRIMARY KEY, entry BLOB, waiting INTEGER) WITHOUT ROWID;
CREATE TABLE ledger_offsets (partition INTEGER PRIMARY KEY, following INTEGER);

-- Newest complete version of each document, and its file if documents are written. formats: the formats of its files,
-- separated by spaces.
CREATE TABLE documents (
    document TEXT PRIMARY KEY, source TEXT, path TEXT, promise BLOB, name TEXT, formats TEXT, replaced INTEGER,
    pairs INTEGER, rejected INTEGER, failed INTEGER
) WITHOUT ROWID;
CREATE INDEX documents_by_path ON documents (source, path, document);

-- Documents that the sink has to look at again. Each change gives a higher mark.
CREATE TABLE due (document TEXT PRIMARY KEY, mark INTEGER);
CREATE INDEX due_by_mark ON due (mark);

CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
INSERT INTO totals VALUES ('records', 0), ('undecodable', 0), ('documents', 0), ('pairs', 0), ('waiting', 0);
CREATE TRIGGER document_in AFTER INSERT ON documents BEGIN
    UPDATE totals SET value = value + 1 WHERE name = 'documents';
    UPDATE totals SET value = value + new.pairs WHERE name = 'pairs';
END;
CREATE TRIGGER document_out AFTER DELETE ON documents BEGIN
    UPDATE totals SET value = value - 1 WHERE name = 'documents';
    UPDATE totals SET value = value - old.pairs WHERE name = 'pairs';
END;
CREATE TRIGGER waiting_in AFTER INSERT ON ledger BEGIN
    UPDATE totals SET value = value + new.waiting WHERE name = 'waiting';
END;
CREATE TRIGGER waiting_change AFTER UPDATE OF waiting ON ledger BEGIN
    UPDATE totals SET value = value + new.waiting - old.waiting WHERE name = 'waiting';
END;
