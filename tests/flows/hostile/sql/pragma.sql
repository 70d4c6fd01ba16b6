PRAGMA writable_schema = 1
pragma/**/"writable_schema"(on)
PRAGMA main.[writable_schema] = RESET
PRAGMA journal_mode
PRAGMA journal_mode = OFF
PRAGMA `journal_mode` = memory
PRAGMA synchronous = OFF
PRAGMA locking_mode = EXCLUSIVE
PRAGMA foreign_keys = OFF
PRAGMA defer_foreign_keys = 1
PRAGMA ignore_check_constraints = 1
PRAGMA recursive_triggers = 0
PRAGMA trusted_schema = ON
PRAGMA legacy_alter_table = ON
PRAGMA query_only = ON
PRAGMA read_uncommitted = 1
PRAGMA reverse_unordered_selects = 1
PRAGMA automatic_index = 0
PRAGMA case_sensitive_like = 1
PRAGMA count_changes = 1
PRAGMA full_column_names = 1
PRAGMA short_column_names = 0
PRAGMA empty_result_callbacks = 1
PRAGMA cache_size = -100000000
PRAGMA cache_spill = 0
PRAGMA mmap_size = 1000000000000
PRAGMA hard_heap_limit = 1
PRAGMA soft_heap_limit = 1
PRAGMA max_page_count = 2000000000
PRAGMA max_page_count
PRAGMA page_size = 512
PRAGMA auto_vacuum = 1
PRAGMA incremental_vacuum
PRAGMA secure_delete = OFF
PRAGMA temp_store = 2
PRAGMA temp_store_directory = '/tmp'
PRAGMA data_store_directory = '/tmp'
PRAGMA threads = 8
PRAGMA busy_timeout = 1000000
PRAGMA wal_checkpoint(TRUNCATE)
PRAGMA wal_autocheckpoint = 0
PRAGMA checkpoint_fullfsync = 1
PRAGMA user_version = 7
PRAGMA main.user_version = 7
PRAGMA application_id = 7
PRAGMA schema_version = 7
PRAGMA encoding = 'UTF-16'
PRAGMA analysis_limit = 1
PRAGMA optimize
PRAGMA shrink_memory
PRAGMA quick_check
PRAGMA integrity_check
PRAGMA database_list
PRAGMA compile_options
PRAGMA lock_status
PRAGMA key = 'x'
PRAGMA no_such_pragma = 1
EXPLAIN PRAGMA journal_mode = OFF
SELECT * FROM pragma_quick_check
SELECT * FROM pragma_database_list
SELECT * FROM pragma_table_info('_whimbrel_history')
SELECT * FROM pragma_index_list('_WHIMBREL_HISTORY')
PRAGMA table_info(_whimbrel_history)
PRAGMA foreign_key_list('_whimbrel_history_schema')
