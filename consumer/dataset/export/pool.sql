PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;

-- Pairs in their order. rank: an order by chance that is the same for the same pair and seed.
CREATE TABLE pairs (
    number INTEGER PRIMARY KEY, text INTEGER, type TEXT, question BLOB, content_key TEXT, item TEXT, rank INTEGER,
    chosen INTEGER DEFAULT 1
);
CREATE INDEX pairs_by_rank ON pairs (type, rank, number);

-- Rejected pairs that may stand against a kept one.
CREATE TABLE rejected (number INTEGER PRIMARY KEY, content_key TEXT, question BLOB, item TEXT);
CREATE INDEX rejected_by_question ON rejected (content_key, question, number);

-- The texts of the chunks, each once. cluster: the smallest number in the text's cluster.
CREATE TABLE texts (number INTEGER PRIMARY KEY, key BLOB UNIQUE, cluster INTEGER, side TEXT DEFAULT 'train');

-- The chunk whose pairs stand for all chunks that are equal to it.
CREATE TABLE chunks (content_key TEXT PRIMARY KEY, chunk TEXT) WITHOUT ROWID;
