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

-- How many chunks have an outcome, and how often one was replaced by that of a later attempt: counting them at each
-- segment would be quadratic for a large document.
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

-- Newest entry of qa.files for each document. waiting: it promises a version that is not among the documents.
CREATE TABLE ledger (document TEXT PRIMARY KEY, entry BLOB, waiting INTEGER) WITHOUT ROWID;
CREATE TABLE ledger_offsets (partition INTEGER PRIMARY KEY, following INTEGER);

-- Newest version of which every chunk has an outcome, and its file, if documents are written; formats: those in which
-- it was, with a space between.
CREATE TABLE documents (
    document TEXT PRIMARY KEY, source TEXT, path TEXT, promise BLOB, name TEXT, formats TEXT, replaced INTEGER,
    pairs INTEGER, rejected INTEGER, failed INTEGER
) WITHOUT ROWID;
CREATE INDEX documents_by_path ON documents (source, path, document);

-- Documents to look at again; mark rises with each change.
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
