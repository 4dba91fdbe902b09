"""The modules of the package stand in an order: none imports, by whatever way,
one that imports it."""

import ast
import pathlib
import unittest

import ws_mgr

PACKAGE = pathlib.Path(ws_mgr.__file__).parent


def imports(path, names):
    """The modules of the package that a module names anywhere: in functions and
    for types alone, too."""

    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            inside = node.level == 1 or (node.level == 0 and node.module
                                         and node.module.split('.')[0]
                                         == PACKAGE.name)

            if not inside:
                continue

            named = (node.module or '').split('.')[-1]

            if named in names:
                yield named
            else:
                yield from (a.name if a.name in names else '__init__'
                            for a in node.names)

        elif isinstance(node, ast.Import):
            yield from (a.name.split('.')[-1] if '.' in a.name else '__init__'
                        for a in node.names
                        if a.name.split('.')[0] == PACKAGE.name)


def circle(graph):
    """The names of one circle, or none."""

    done = set()

    def visit(name, way):
        if name in way:
            return way[way.index(name):] + [name]

        if name in done:
            return []

        for other in sorted(graph[name]):
            found = visit(other, way + [name])

            if found:
                return found

        done.add(name)
        return []

    for name in sorted(graph):
        found = visit(name, [])

        if found:
            return found

    return []


class Modules(unittest.TestCase):
    def test_a_circle_is_found(self):
        self.assertEqual(circle({'a': {'b'}, 'b': {'c'}, 'c': {'b'}}),
                         ['b', 'c', 'b'])
        self.assertEqual(circle({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}), [])

    def test_no_circle(self):
        files = {path.stem: path for path in PACKAGE.glob('*.py')}
        graph = {name: set(imports(path, files))
                 for name, path in files.items()}

        self.assertGreaterEqual(sum(map(len, graph.values())), 15)
        self.assertEqual(circle(graph), [])


if __name__ == '__main__':
    unittest.main()
