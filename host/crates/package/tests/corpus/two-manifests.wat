(component (@custom "jackfield.manifest" "{}") (core module (@custom "jackfield.manifest" "{}")))
