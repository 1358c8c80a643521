;; An inventory plugin with two memories that grow in turn, so that neither is large by itself.
(module
    (memory $main (export "memory") 1)
    (memory $second 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "jackfield:order/inventory@1.1.0#apply") (param i32) (result i32)
        (loop $more
            (drop (memory.grow $main (i32.const 64)))
            (drop (memory.grow $second (i32.const 64)))
            (br $more))
        (i32.const 0))
    (func (export "jackfield:order/inventory@1.1.0#resume") (param i32) (result i32) unreachable)
    (func (export "jackfield:order/inventory@1.1.0#observe") (param i32) (result i32) unreachable)
    (func (export "jackfield:order/inventory@1.1.0#undo") (param i32) (result i32) unreachable)
)
