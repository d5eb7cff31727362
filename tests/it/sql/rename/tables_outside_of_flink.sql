-- rename: documents -> documents_v2, questions -> questions_v2
SELECT questions.id, v.search_results FROM questions, LATERAL TABLE(VECTOR_SEARCH_AGG(documents, DESCRIPTOR(documents), questions.embedding, 3)) AS v;
-- becomes
SELECT questions_v2.id, v.search_results FROM questions_v2, LATERAL TABLE(VECTOR_SEARCH_AGG(documents_v2, DESCRIPTOR(documents), questions_v2.embedding, 3)) AS v;
