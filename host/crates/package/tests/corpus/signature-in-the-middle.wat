(component (@custom "jackfield.signature" "x") (core module) (@custom "jackfield.manifest" "{}"))
