;; An inventory plugin whose receipts say in which rack the port is.
(module
    (memory (export "memory") 1)
    ;; What comes in is not looked at, so it may lie where it likes.
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (data (i32.const 1024) "port/1__port____access__olt-1___rack-7__")
    (func (export "jackfield:order/inventory@1.2.0#apply") (param i32) (result i32)
        ;; `ok(done(receipt))`: both cases are the first of theirs, and the memory is zero. Each text is its address and its length.
        (i32.store offset=16 (i32.const 256) (i32.const 1024)) (i32.store offset=20 (i32.const 256) (i32.const 6))
        (i32.store offset=24 (i32.const 256) (i32.const 1032)) (i32.store offset=28 (i32.const 256) (i32.const 4))
        (i32.store offset=32 (i32.const 256) (i32.const 1040)) (i32.store offset=36 (i32.const 256) (i32.const 6))
        (i32.store offset=40 (i32.const 256) (i32.const 1048)) (i32.store offset=44 (i32.const 256) (i32.const 5))
        ;; No characteristics, and some rack.
        (i32.store offset=56 (i32.const 256) (i32.const 1))
        (i32.store offset=60 (i32.const 256) (i32.const 1056)) (i32.store offset=64 (i32.const 256) (i32.const 6))
        (i32.const 256))
    (func (export "jackfield:order/inventory@1.2.0#resume") (param i32) (result i32) unreachable)
    (func (export "jackfield:order/inventory@1.2.0#observe") (param i32) (result i32) unreachable)
    (func (export "jackfield:order/inventory@1.2.0#undo") (param i32) (result i32) unreachable)
)
