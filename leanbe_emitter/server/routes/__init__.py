"""Operations of the API: one file a part."""
