"""What a person sees when something did not happen."""

from flask import Response, make_response, render_template

from server.http.problems import Problem


def error_page(problem: Problem) -> Response:
    """Answer a person with a page that says what happened and where to go on."""
    answer = make_response(render_template("error.html", problem=problem), problem.status)
    answer.headers.update(problem.headers)
    return answer
